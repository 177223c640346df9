package main

import (
	"context"

	"configservice/svc/internal/httpapi"
)

func (t *telemetry) flush() error {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	return t.shutdown(ctx)
}

type shim struct{ t *telemetry }

func (s shim) Read(ctx context.Context, a, b string) { s.t.reads.ConfigurationRead(ctx, a, b) }
func (s shim) Write(context.Context, string, string) {}

var _ httpapi.Observer = shim{}
