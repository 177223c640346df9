// Package otlp encodes each span as OTLP the moment it has ended, and each log
// record as it is written, and sends batches of such bytes, so that what is left
// to do for a batch is to copy it.
//
// What comes out is what OpenTelemetry's own exporters give for the same spans
// and records, field for field; tests hold the one against the other. A batch is
// given to a client as a message of fields that it does not know, for such are
// copied as they are.
package otlp
