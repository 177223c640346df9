package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A Collector in trouble is the operator's affair, not the client's.
func TestCollectorInTroubleTroublesTheService(t *testing.T) {
	refused := listen(t, silence)
	for name, address := range map[string]func() string{
		"refuses":         func() string { return strings.Replace(refused, "127.0.0.1", "127.0.0.2", 1) },
		"never answers":   func() string { return listen(t, silence) },
		"talks nonsense":  func() string { return listen(t, nonsense) },
		"closes at once":  func() string { return listen(t, func(c net.Conn) { _ = c.Close() }) },
		"does not exist":  func() string { return "collector.invalid:4317" },
		"rejects exports": func() string { return rejecting(t) },
	} {
		for _, protocol := range []string{"grpc", "http/protobuf"} {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				exportTo(t, protocol, "http://"+address())
				t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
				t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
				t.Setenv("OTEL_BLRP_MAX_QUEUE_SIZE", "64")
				tel, stdout := startTelemetry(t)
				slowest := requests(tel, 500)
				before := heap()
				slowest = max(slowest, requests(tel, 5000))
				if slowest > 3*time.Second { // an export's patience is 10 s
					t.Errorf("a request took %v", slowest)
				}
				if grown := int64(heap()) - int64(before); grown > 5<<20 {
					t.Errorf("5000 requests left %d bytes behind", grown)
				}
				began := time.Now()
				_ = stopTelemetry(tel, 200*time.Millisecond)
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("shutdown took %v", took)
				}
				request(tel, "") // which a stopped SDK must not break
				if n := strings.Count(stdout.String(), "telemetry has trouble"); n > 20 {
					t.Errorf("%d lines about it", n)
				}
			})
		}
	}
}

func requests(tel *telemetry, n int) (slowest time.Duration) {
	for range n {
		began := time.Now()
		request(tel, "")
		slowest = max(slowest, time.Since(began))
	}
	return slowest
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestFailedExportIsSilentOrFloodsOrIsExportedItself(t *testing.T) {
	collector := startCollector(t, http.StatusBadRequest)
	tel, stdout := startTelemetry(t)
	failures := func() float64 {
		return families(t, tel)["config_telemetry_errors_total"].GetMetric()[0].GetCounter().GetValue()
	}
	for deadline := time.Now().Add(waitFor); failures() < 50 && time.Now().Before(deadline); {
		request(tel, sampledTrace)
	}
	if n := strings.Count(stdout.String(), "400 Bad Request"); n == 0 || n > 5 || failures() < 50 {
		t.Errorf("%d lines about %v failures of three signals", n, failures())
	}
	if got := collector.logged(); strings.Contains(got, "trouble") || !strings.Contains(got, "handled") {
		t.Errorf("exported: %s", got)
	}
}

// Stopping cuts off the export that is under way; the last one makes up for it.
func TestOrderlyStopIsReportedAsTrouble(t *testing.T) {
	collector := startCollector(t, http.StatusOK)
	for range 30 {
		tel, stdout := startTelemetry(t)
		request(tel, sampledTrace)
		if err := stopTelemetry(tel, waitFor); err != nil {
			t.Fatal(err)
		}
		// The SDK has one place a process for what it says, so the SDKs of
		// tests before can still be heard here.
		if strings.Contains(stdout.String(), "canceled") {
			t.Fatal(stdout)
		}
	}
	if n := len(collector.spans); n != 30 {
		t.Errorf("%d of 30 spans arrived", n)
	}
}

// One that heeds no deadline takes neither the others' time nor the caller's.
func TestSignalThatHangsKeepsTheOthersFromStopping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hang, stopped := make(chan struct{}), make(chan struct{})
	defer close(hang)
	go func() { <-stopped; cancel() }()
	err := stopAll(ctx, map[string]func(context.Context) error{
		"traces": func(context.Context) error { <-hang; return nil },
		"logs":   func(context.Context) error { close(stopped); return nil },
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
