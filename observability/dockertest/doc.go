// Package dockertest runs what `make up` runs, with real containers: in a Docker
// engine of its own, on images that stand in for the upstream ones where those
// cannot be pulled (see standins/). `make test-docker` runs it, with the build
// tag docker; the other tests here need no engine.
package dockertest
