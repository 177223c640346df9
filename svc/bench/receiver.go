//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// A receiver takes telemetry over OTLP/gRPC, counts spans, and does nothing more
// with it. It stands for a Collector on another machine: a real one, on this
// machine, would take the processor from what is measured.
type receiver struct {
	tracepb.UnimplementedTraceServiceServer
	spans atomic.Int64
}

// receive is the program as a receiver that listens on an address, and on
// another tells the number of spans.
func receive(ctx context.Context, listen, tell string) error {
	r := &receiver{}
	server := grpc.NewServer(grpc.ForceServerCodec(codec{r}))
	tracepb.RegisterTraceServiceServer(server, r)
	metricspb.RegisterMetricsServiceServer(server, metrics{})
	logspb.RegisterLogsServiceServer(server, logs{})
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		failed <- http.ListenAndServe(tell, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.spans.Load()) }))
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		server.Stop()
		return nil
	}
}

func (*receiver) Export(context.Context, *tracepb.ExportTraceServiceRequest) (*tracepb.ExportTraceServiceResponse, error) {
	return &tracepb.ExportTraceServiceResponse{}, nil
}

type metrics struct {
	metricspb.UnimplementedMetricsServiceServer
}

func (metrics) Export(context.Context, *metricspb.ExportMetricsServiceRequest) (*metricspb.ExportMetricsServiceResponse, error) {
	return &metricspb.ExportMetricsServiceResponse{}, nil
}

type logs struct {
	logspb.UnimplementedLogsServiceServer
}

func (logs) Export(context.Context, *logspb.ExportLogsServiceRequest) (*logspb.ExportLogsServiceResponse, error) {
	return &logspb.ExportLogsServiceResponse{}, nil
}

// A codec counts the spans of requests instead of decoding them.
type codec struct{ *receiver }

func (codec) Name() string                  { return "proto" }
func (codec) Marshal(v any) ([]byte, error) { return proto.Marshal(v.(proto.Message)) }

func (c codec) Unmarshal(wire []byte, v any) error {
	if _, ok := v.(*tracepb.ExportTraceServiceRequest); !ok {
		return nil
	}
	// ExportTraceServiceRequest.resource_spans, .scope_spans, .spans
	n, err := count(wire, 1, 2, 2)
	c.spans.Add(int64(n))
	return err
}

// count returns how many fields a message has at the end of a path of messages.
func count(wire []byte, path ...protowire.Number) (n int, err error) {
	if len(path) == 0 {
		return 1, nil
	}
	for len(wire) > 0 {
		field, kind, size := protowire.ConsumeField(wire)
		if size < 0 {
			return n, protowire.ParseError(size)
		}
		if field == path[0] && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(wire)
			inner, _ := protowire.ConsumeBytes(wire[tag:])
			more, err := count(inner, path[1:]...)
			if n += more; err != nil {
				return n, err
			}
		}
		wire = wire[size:]
	}
	return n, nil
}

// startReceiver starts what telemetry goes to.
func (b *bench) startReceiver(ctx context.Context) error {
	var tell string
	if err := freeAddresses(&b.receiver, &tell); err != nil {
		return err
	}
	b.received = "http://" + tell + "/"
	_, err := b.start(ctx, program{
		name: "receiver", address: b.receiver, ready: b.received, processor: loadCPU,
		command: []string{b.self, "serve", "--kind=receiver", "--listen=" + b.receiver, "--debug-listen=" + tell},
	})
	return err
}

// retire stops services that had everything on, and fails when they lost
// telemetry.
func (b *bench) retire(ctx context.Context, services ...*server) error {
	for _, s := range services {
		answered, troubles, err := s.tally(ctx)
		if err = errors.Join(err, s.stop()); err != nil {
			return err
		}
		if troubles > 0 {
			return fmt.Errorf("%s lost telemetry, so what it cost is not known:\n%s", s.name, s.lastLines())
		}
		b.answered += answered
	}
	return nil
}

// account retires services, and fails when fewer spans have come from all that
// were than a sample of one request in twenty allows.
func (b *bench) account(ctx context.Context, services ...*server) error {
	if err := b.retire(ctx, services...); err != nil {
		return err
	}
	requests := b.answered
	text, err := fetch(ctx, b.received)
	if err != nil {
		return err
	}
	spans, err := strconv.ParseFloat(string(text), 64)
	const share = .05
	if deviation := math.Sqrt(requests * share * (1 - share)); err == nil && spans < share*requests-5*deviation {
		err = fmt.Errorf("%.0f spans of %.0f requests were received: some are lost", spans, requests)
	}
	fmt.Fprintf(b.out, "\n%.0f spans of %.0f requests received, none dropped\n", spans, requests)
	return err
}

// tally returns how many requests a service has answered, and how much trouble
// its telemetry had.
func (s *server) tally(ctx context.Context) (requests, troubles float64, err error) {
	text, err := fetch(ctx, "http://"+s.address+"/metrics")
	if err != nil {
		return 0, 0, err
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
	for _, m := range all["http_server_request_duration_seconds"].GetMetric() {
		requests += float64(m.GetHistogram().GetSampleCount())
	}
	for _, m := range all["config_telemetry_errors_total"].GetMetric() {
		troubles += m.GetCounter().GetValue()
	}
	return requests, troubles, err
}
