package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"configservice/svc/internal/instrument"
	"configservice/svc/internal/otlp"
)

// sampledRatio is the share of traces without a sampled caller that are kept,
// unless OTEL_TRACES_SAMPLER says otherwise.
const sampledRatio = 0.05

// newTracers returns what makes spans and sends them where OTEL_TRACES_EXPORTER
// says. Over OTLP there is a queue, which also takes spans that have been made
// without an SDK; nil when they would not say what the SDK's say.
func newTracers(ctx context.Context, res *resource.Resource, sampler sdktrace.Sampler) (*sdktrace.TracerProvider, *otlp.Spans, error) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(sampler), sdktrace.WithIDGenerator(ids{})}
	if !overOTLP("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err == nil && !autoexport.IsNoneSpanExporter(exporter) {
			options = append(options, sdktrace.WithBatcher(exporter))
		}
		return sdktrace.NewTracerProvider(options...), nil, naming("TRACES", err)
	}
	client, err1 := newSpanClient(ctx)
	limits, err2 := limitsFromEnv("OTEL_BSP_", otlp.Limits{
		Queue: sdktrace.DefaultMaxQueueSize, Batch: sdktrace.DefaultMaxExportBatchSize,
		Delay: sdktrace.DefaultScheduleDelay * time.Millisecond, Timeout: sdktrace.DefaultExportTimeout * time.Millisecond,
	})
	if err := errors.Join(naming("TRACES", err1), err2); err != nil {
		return nil, nil, err
	}
	queue := otlp.NewSpans(client, res, limits, otel.Handle)
	tracers := sdktrace.NewTracerProvider(append(options, sdktrace.WithSpanProcessor(queue))...)
	if shortens(sdktrace.NewSpanLimits()) {
		return tracers, nil, nil
	}
	return tracers, queue, nil
}

// newSpanClient is set up by the variables OTEL_EXPORTER_OTLP_*.
func newSpanClient(ctx context.Context) (otlptrace.Client, error) {
	var client otlptrace.Client
	switch protocol := protocolOf("TRACES"); protocol {
	case "grpc":
		client = otlptracegrpc.NewClient()
	case "", "http/protobuf":
		client = otlptracehttp.NewClient()
	default:
		return nil, fmt.Errorf("the protocol is %q: it must be grpc or http/protobuf", protocol)
	}
	return client, client.Start(ctx)
}

// shortens tells whether the SDK would leave out some of what a span of a
// request has to say, as OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT can ask for.
func shortens(l sdktrace.SpanLimits) bool {
	return l.AttributeValueLengthLimit >= 0 || l.AttributeCountLimit >= 0 && l.AttributeCountLimit < sdktrace.DefaultAttributeCountLimit
}

// samplerFromEnv returns the sampler that OTEL_TRACES_SAMPLER names, or ours
// when it is not set. The SDK would take a mistake there as a wish for every
// trace, so it is told.
func samplerFromEnv() (sdktrace.Sampler, error) {
	const name, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	chosen, parentBased := strings.CutPrefix(envWord(name), "parentbased_")
	var root sdktrace.Sampler
	switch {
	case chosen == "" && !parentBased:
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(sampledRatio)), nil
	case chosen == "always_on":
		root = sdktrace.AlwaysSample()
	case chosen == "always_off":
		root = sdktrace.NeverSample()
	case chosen == "traceidratio":
		ratio, err := strconv.ParseFloat(cmp.Or(envWord(arg), "1"), 64)
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			return nil, fmt.Errorf("%s is %q: it must be a ratio from 0 to 1", arg, envWord(arg))
		}
		root = sdktrace.TraceIDRatioBased(ratio)
	default:
		return nil, fmt.Errorf("%s is %q: it must be always_on, always_off or traceidratio, "+
			"alone or after parentbased_", name, envWord(name))
	}
	if parentBased {
		return sdktrace.ParentBased(root), nil
	}
	return root, nil
}

// samples tells whether sampler takes a span in parent whose trace has this id.
func samples(sampler sdktrace.Sampler) func(context.Context, trace.TraceID) bool {
	return func(parent context.Context, id trace.TraceID) bool {
		return sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: parent, TraceID: id}).Decision == sdktrace.RecordAndSample
	}
}

// ids makes the ids of spans, and of traces where it is not settled what a
// trace is to have.
type ids struct{}

func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, ok := instrument.RootID(ctx)
	if !ok {
		id = instrument.NewTraceID()
	}
	return id, instrument.NewSpanID()
}

func (ids) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return instrument.NewSpanID() }
