package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/cadvisor/container/raw"
)

func TestParseTakesTheCommandLineOfTheOfficialImage(t *testing.T) {
	o, err := parse([]string{"-logtostderr", "-v=0", "-port=8081", "--listen_ip=127.0.0.1", "-docker_only=true",
		"-housekeeping_interval=10s", "-allow_dynamic_housekeeping=false", "-store_container_labels=false",
		"-whitelisted_container_labels=a,b", "-enable_metrics=cpu,memory", "-docker=unix:///run/docker.sock",
		"-raw_cgroup_prefix_whitelist=/config-service-stack/"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if o.port != 8081 || o.listenIP != "127.0.0.1" || o.cgroupPrefixes != "/config-service-stack/" || o.storeLabels {
		t.Errorf("parsed %+v", o)
	}
	if !*raw.DockerOnly {
		t.Error("docker_only did not reach the library")
	}
}

func TestKindsCollected(t *testing.T) {
	for _, c := range []struct{ args, has, hasNot string }{
		{"", "cpu memory network diskIO", "disk percpu pressure"},
		{"-enable_metrics=cpu,disk", "cpu disk", "memory"},
		{"-disable_metrics=disk,percpu", "cpu pressure", "disk percpu"},
		{"-disable_metrics=cpu -enable_metrics=cpu", "cpu", "memory"},
	} {
		o, err := parse(strings.Fields(c.args), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		got := "," + o.kinds().String() + ","
		for kind := range strings.FieldsSeq(c.has) {
			if !strings.Contains(got, ","+kind+",") {
				t.Errorf("%q: %s is not in %s", c.args, kind, got)
			}
		}
		for kind := range strings.FieldsSeq(c.hasNot) {
			if strings.Contains(got, ","+kind+",") {
				t.Errorf("%q: %s is in %s", c.args, kind, got)
			}
		}
	}
}

func TestRunRefusesWhatItCannotUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"-version", 0, ""},
		{"-port=x", 2, "-port"},
		{"-no_such_flag", 2, "no_such_flag"},
		{"-enable_metrics=cpu,cheese", 2, "cheese"},
		{"stray", 2, "stray"},
		{fmt.Sprintf("-listen_ip=127.0.0.1 -port=%d", port), 1, "address already in use"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), &stdout, &stderr); code != c.code {
			t.Errorf("%q: exit code %d, want %d", c.args, code, c.code)
		}
		if !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: does not say %q but %q", c.args, c.says, stderr.String())
		}
	}
}

func TestHandlerRefusesAMalformedMaxAge(t *testing.T) {
	h := handler(options{endpoint: "/metrics"}, nil)
	for path, want := range map[string]int{"/healthz": 200, "/metrics?max_age=soon": 400, "/other": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func TestJoinDockerTellsThatThereIsNone(t *testing.T) {
	for _, endpoint := range []string{"unix://" + t.TempDir() + "/docker.sock", "tcp://127.0.0.1:1", "::"} {
		if err := joinDocker(endpoint); err == nil {
			t.Errorf("%s: joined", endpoint)
		}
	}
}
