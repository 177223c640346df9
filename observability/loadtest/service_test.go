package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"configservice/internal/testwait"
	"configservice/observability/loadtest/report"
)

// A service is the real one, alone.
type service struct {
	url string
	env []string
	bin string
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// startService runs the service on a database of its own until the test ends.
func startService(t *testing.T) service {
	t.Helper()
	s := service{bin: filepath.Join(root(t), "bin", "config-service")}
	testwait.Built(t, s.bin)
	address := freeAddress(t)
	s.url = "http://" + address
	s.env = append(os.Environ(), "CONFIG_SERVICE_LISTEN="+address, "OTEL_SDK_DISABLED=true",
		"CONFIG_SERVICE_DATABASE_URL=sqlite:"+filepath.Join(t.TempDir(), "config.db"))
	cmd := exec.Command(s.bin, "serve")
	cmd.Env = s.env
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	testwait.Until(t, "it is ready", func() bool {
		resp, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// token makes one, which turns access control on.
func (s service) token(t *testing.T, scope string) string {
	t.Helper()
	cmd := exec.Command(s.bin, "token", "create", "--name", scope, "--scope", scope)
	cmd.Env = s.env
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// applications is how many there are.
func (s service) applications(t *testing.T, token string) int {
	t.Helper()
	return s.total(t, token, "applications")
}

func (s service) total(t *testing.T, token, what string) int {
	t.Helper()
	req, err := http.NewRequest("GET", s.url+"/api/v1/"+what+"?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct{ Total int }
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return page.Total
}

// call runs the program in this process.
func call(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	getenv := func(name string) string {
		if name == "OTEL_SDK_DISABLED" {
			return "true"
		}
		return ""
	}
	code = run(ctx, args, getenv, &out, &errs)
	return code, out.String(), errs.String()
}

const brief = "testdata/brief.yaml"

func TestWhatCannotBeDoneIsNotToldInOneLineOrLeavesSomethingBehind(t *testing.T) {
	s := startService(t)
	nobody := "http://" + freeAddress(t)
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	text, err := os.ReadFile(brief)
	if err := errors.Join(err, os.WriteFile(broken, append([]byte("mixx: {}\n"), text...), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unreachable host", []string{"run", brief, "--target", nobody}, "the service does not answer"},
		{"Prometheus is down", []string{"run", brief, "--target", s.url, "--prometheus", nobody}, "cannot be read"},
		{"no metrics", []string{"run", brief, "--target", s.url}, "/metrics of the service cannot be read"},
		{"fault in the scenario", []string{"run", broken, "--target", s.url}, "broken.yaml:1:1: /: additional properties 'mixx' not allowed"},
		{"no such scenario", []string{"run", "basline", "--target", s.url}, `there is no scenario "basline"`},
		{"no such run", []string{"verify", "nowhere"}, "nowhere/run.json"},
		{"no such run to compare", []string{"compare", "nowhere", "nowhere"}, "nowhere/run.json"},
		{"rate of nothing", []string{"bench", "many"}, `the rate is "many"`},
		{"unwritable reports", []string{"run", brief, "--target", s.url, "--claims", "none", "--out", "/proc/reports"}, "--out chooses another directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := call(t.Context(), c.args...)
			if code != exitUnchecked || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, want %d and one line with %q:\n%s", code, exitUnchecked, c.want, stderr)
			}
			if n := s.applications(t, ""); n != 0 {
				t.Errorf("%d applications are left behind", n)
			}
		})
	}
}

func TestOptionsThatMakeNoSenseAreNotToldTogether(t *testing.T) {
	code, _, stderr := call(t.Context(), "rn", "--target", "localhost", "--claims", "1,9", "--connections", "0", "--sampled", "2", "--quik")
	if code != exitUnchecked {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{`no command "rn"`, "--target", `"9"`, "--connections", "--sampled", "quik"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%s is missing in\n%s", want, stderr)
		}
	}
	if code, stdout, _ := call(t.Context(), "--help"); code != exitTrue || !strings.Contains(stdout, "verify RUN") {
		t.Errorf("help: exit code %d\n%s", code, stdout)
	}
}

func TestWrongTokenLeavesSomethingBehind(t *testing.T) {
	s := startService(t)
	admin := s.token(t, "admin")
	reader := s.token(t, "read")
	testwait.Until(t, "the token is known", func() bool {
		resp, err := http.Get(s.url + "/api/v1/applications")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusUnauthorized
	})
	for _, token := range []string{"wrong", reader} {
		code, _, stderr := call(t.Context(), "run", brief, "--target", s.url, "--claims", "none", "--token", token, "--out", t.TempDir())
		if code != exitUnchecked || !strings.Contains(stderr, "refuses the token") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("exit code %d\n%s", code, stderr)
		}
	}
	code, stdout, stderr := call(t.Context(), "run", brief, "--target", s.url, "--claims", "none", "--token", admin, "--out", t.TempDir())
	if code != exitTrue || s.applications(t, admin) != 0 {
		t.Errorf("with a good token: exit code %d, %d applications left\n%s%s", code, s.applications(t, admin), stdout, stderr)
	}
}

func TestInterruptLosesTheReportOrLeavesSomethingBehind(t *testing.T) {
	s := startService(t)
	out := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		testwait.Until(t, "the load begins", func() bool { return s.total(t, "", "configurations") == 100 })
		cancel()
	}()
	code, stdout, stderr := call(ctx, "run", "sustained", "--target", s.url, "--claims", "none", "--out", out)
	if code != exitTrue {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if n := s.applications(t, ""); n != 0 {
		t.Errorf("%d applications are left behind", n)
	}
	runs, err := filepath.Glob(filepath.Join(out, "*-sustained"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs are %v (%v)\n%s", runs, err, stdout)
	}
	if r, err := report.Read(runs[0]); err != nil || !r.Interrupted {
		t.Errorf("interrupted is %v (%v)", r.Interrupted, err)
	}
}

func TestThresholdThatIsMissedIsNotToldApart(t *testing.T) {
	s := startService(t)
	strict := filepath.Join(t.TempDir(), "strict.yaml")
	text, err := os.ReadFile(brief)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(strict, bytes.Replace(text, []byte("p99: 5s"), []byte("p99: 1us"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := call(t.Context(), "run", strict, "--target", s.url, "--claims", "none", "--out", t.TempDir())
	if code != exitThreshold || !strings.Contains(stdout, "threshold missed: p99") {
		t.Errorf("exit code %d, want %d\n%s", code, exitThreshold, stdout)
	}
}

func TestTesterThatDoesNotKeepUpSaysNothing(t *testing.T) {
	code, stdout, _ := call(t.Context(), "bench", "100000", "--connections", "1")
	if code != exitThreshold || !strings.Contains(stdout, "does not keep up") {
		t.Errorf("exit code %d, want %d\n%s", code, exitThreshold, stdout)
	}
}
