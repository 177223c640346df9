// Package gate holds the dashboards, rules and alerts against what the stack emits, so that a
// metric that is renamed, a label that is dropped or a query that is mistyped fails the build
// rather than leave a panel empty or an alert silent.
//
// There are three checks, each a function that returns every fault it finds:
//   - [Lint]: each dashboard is whole, and drawn by Grafana and by the viewer alike.
//   - [Checker.Check]: each query is PromQL, by Prometheus' own parser, and every metric, label and
//     fixed value in it is in the catalogue, catalogue.json.
//   - [Compare]: the catalogue is what the running stack emits.
//
// The tests of this package run them, the last one on a live stack under load, and then break each
// thing on purpose. `make catalogue` writes the catalogue anew.
package gate
