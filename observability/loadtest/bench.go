package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"configservice/observability/loadtest/load"
	"configservice/observability/loadtest/report"
	"configservice/observability/loadtest/target"
)

const (
	benchFor = 5 * time.Second
	// benchError is the largest error of the moments of sending, as their 99th
	// percentile, at which a load is what it claims to be.
	benchError = 5 * time.Millisecond
)

// bench measures the tester alone, against a server in its own process that does
// nothing: whether it sends as many requests as it should, when it should.
func bench(ctx context.Context, call invocation) (int, error) {
	rate, err := strconv.ParseFloat(call.args[0], 64)
	if err != nil || !(rate >= 1 && rate <= 1e6) {
		return 0, fmt.Errorf("the rate is %q; it must be a number from 1 to 1000000", call.args[0])
	}
	base, stop, err := serveNothing()
	if err != nil {
		return 0, err
	}
	defer stop()
	recorder := load.NewRecorder()
	client := target.NewClient(base, "", call.connections, 0)
	schedule := load.NewSchedule([]load.Phase{{From: rate, To: rate, For: benchFor}})
	player := load.Player{
		Schedule: schedule, Workers: call.connections, Observer: recorder,
		Send: func(int) load.Outcome {
			return client.Do(ctx, target.Call{Method: "GET", Path: "/", Want: []int{http.StatusOK}}).Outcome
		},
	}
	player.Play(ctx)
	return tellBench(call.stdout, rate, recorder), nil
}

func serveNothing() (base *url.URL, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go func() { _ = server.Serve(listener) }() // until stop
	return &url.URL{Scheme: "http", Host: listener.Addr().String()}, func() { _ = server.Close() }, nil
}

func tellBench(w io.Writer, rate float64, r *load.Recorder) int {
	n := r.Totals()
	response, _, lateness := r.Latency()
	fmt.Fprintf(w, "%.0f requests a second for %v: %d scheduled, %d answered, %d failed, %d not started, %d sent late\n",
		rate, benchFor, n.Scheduled, n.Completed, n.Failed, n.NotStarted, n.SentLate)
	fmt.Fprintf(w, "sent after the scheduled moment: p50 %s, p99 %s, max %s; answered: p50 %s, p99 %s\n",
		report.Short(lateness.P50), report.Short(lateness.P99), report.Short(lateness.Max), report.Short(response.P50), report.Short(response.P99))
	if n.NotStarted > 0 || n.Failed > 0 || lateness.P99 >= benchError {
		fmt.Fprintf(w, "it does not keep up: at this rate and on this machine its load is not what it claims to be\n")
		return exitThreshold
	}
	fmt.Fprintf(w, "it keeps up\n")
	return exitTrue
}
