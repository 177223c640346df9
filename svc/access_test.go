package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A secured is a service with tokens, and two applications with a
// configuration each.
type secured struct {
	*process
	database   string
	admin      string // a token for all of it
	own, other owned
}

type owned struct{ name, application, configuration string }

func startSecured(t *testing.T, args ...string) *secured {
	t.Helper()
	s := &secured{database: "--database-url=sqlite:" + filepath.Join(t.TempDir(), "store.db")}
	s.admin = s.token(t, "--name=root", "--scope=admin")
	s.process = start(t, append(args, s.database)...)
	s.own, s.other = s.populate(t, "own"), s.populate(t, "other")
	return s
}

// token makes a token by the command and returns its secret.
func (s *secured) token(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(s.command(t, append([]string{"create"}, args...)...))
}

// command runs the sub-command token and returns its standard output.
func (s *secured) command(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := program(t, append(append([]string{"token"}, args...), s.database)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("token %q: %v\n%s", args, err, &stderr)
	}
	return string(out)
}

func (s *secured) populate(t *testing.T, name string) owned {
	t.Helper()
	a := s.create(t, "/api/v1/applications", `{"name":"`+name+`"}`)
	c := s.create(t, "/api/v1/configurations", `{"application_id":"`+a+`","name":"main","config":{}}`)
	return owned{name, a, c}
}

func (s *secured) create(t *testing.T, path, body string) (id string) {
	t.Helper()
	status, answer := s.call(t, s.admin, "POST", path, body)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusCreated {
		t.Fatalf("POST %s answered %d: %s", path, status, answer)
	}
	return made.ID
}

// call makes a request with a token, on the condition that nothing can meet: a
// write that gets past the authorization changes nothing and answers 412.
func (s *secured) call(t *testing.T, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url(path), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("If-Match", `"none"`)
	req.Header.Set("Traceparent", "00-"+sampledTrace+"-b7ad6b7169203331-01")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, text := do(t, req)
	return resp.StatusCode, text
}

// A cell is one call of the matrix: what it answers when it is let through,
// and what that takes.
type cell struct {
	method, path, body string
	through            int
	needs              string // read, write; own: to rename or delete an application; audit
}

func cells(o owned) []cell {
	app, config := "/api/v1/applications/"+o.application, "/api/v1/configurations/"+o.configuration
	return []cell{
		{"GET", app, "", 200, "read"},
		{"HEAD", app, "", 200, "read"},
		{"GET", app + "/configurations", "", 200, "read"},
		{"GET", "/api/v1/configurations?application_id=" + o.application, "", 200, "read"},
		{"GET", config, "", 200, "read"},
		{"HEAD", config, "", 200, "read"},
		{"GET", config + "?at=9", "", 422, "read"}, // a revision that has not come
		{"GET", "/api/v1/config/" + o.name + "/main", "", 200, "read"},
		{"GET", config + "/versions", "", 200, "read"},
		{"GET", config + "/versions/1", "", 200, "read"},
		{"GET", config + "/diff?from=1&to=1", "", 200, "read"},
		{"POST", "/api/v1/configurations", `{"application_id":"` + o.application + `","name":"main","config":{}}`, 409, "write"},
		{"PUT", config, `{"comments":"x"}`, 412, "write"},
		{"PATCH", config, `{"comments":"x"}`, 412, "write"},
		{"POST", config + "/rollback", `{"version":1}`, 412, "write"},
		{"DELETE", config, "", 412, "write"},
		{"PUT", app, `{"comments":"x"}`, 412, "own"},
		{"DELETE", app, "", 412, "own"},
		{"GET", "/api/v1/audit?application_id=" + o.application, "", 200, "audit"},
	}
}

// want is what the cell answers to a token.
func (c cell) want(scope string, limited, own bool) int {
	rank := map[string]int{"read": 1, "write": 2, "own": 2, "admin": 3, "audit": 3}
	needs := rank[c.needs]
	if c.needs == "own" && limited {
		needs = rank["admin"]
	}
	switch {
	case rank[scope] < needs:
		return http.StatusForbidden
	case c.through == http.StatusUnprocessableEntity:
		return c.through // of the request alone: it tells nothing
	case limited && !own:
		return http.StatusForbidden
	}
	return c.through
}

// Every cell of scope × limit × call × application.
func TestCallIsAnsweredBeyondTheTokensScopeOrApplications(t *testing.T) {
	s := startSecured(t)
	for _, scope := range []string{"read", "write", "admin"} {
		for _, limited := range []bool{false, true} {
			args := []string{fmt.Sprintf("--name=%s-%v", scope, limited), "--scope=" + scope}
			if limited {
				args = append(args, "--application=own", "--application="+s.own.application)
			}
			token := s.token(t, args...)
			s.await(t, token, http.StatusOK)
			for _, own := range []bool{true, false} {
				for _, c := range cells(map[bool]owned{true: s.own, false: s.other}[own]) {
					status, answer := s.call(t, token, c.method, c.path, c.body)
					if want := c.want(scope, limited, own); status != want {
						t.Errorf("%s limited=%v own=%v: %s %s answered %d, want %d: %s", scope, limited, own, c.method, c.path, status, want, answer)
					}
				}
			}
			s.checkLists(t, token, limited)
		}
	}
}

// checkLists wants who is limited to see no trace of others.
func (s *secured) checkLists(t *testing.T, token string, limited bool) {
	t.Helper()
	for _, path := range []string{"/api/v1/applications", "/api/v1/configurations", "/api/v1/applications?name=other"} {
		status, answer := s.call(t, token, "GET", path, "")
		shown := strings.Contains(answer, s.other.application)
		if status != http.StatusOK || shown == limited {
			t.Errorf("limited=%v: %s answered %d and shows others: %v\n%s", limited, path, status, shown, answer)
		}
	}
	status, _ := s.call(t, token, "POST", "/api/v1/applications", `{"name":"own"}`)
	if refused := status == http.StatusForbidden; refused != (limited || strings.HasPrefix(s.name(t, token), "read")) {
		t.Errorf("limited=%v: creating an application answered %d", limited, status)
	}
}

// name returns the name of a token, by what the list of all of them says.
func (s *secured) name(t *testing.T, secret string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(s.command(t, "list")), "\n")
	if strings.Contains(strings.Join(lines, ""), secret) {
		t.Error("the list shows a secret")
	}
	return strings.Fields(lines[len(lines)-1])[1]
}

// await returns when a read with the token answers status, and fails the test
// unless that is within 2 s.
func (s *secured) await(t *testing.T, token string, status int) {
	t.Helper()
	const within = 2 * time.Second
	began := time.Now()
	for {
		got, answer := s.call(t, token, "GET", "/api/v1/applications", "")
		took := time.Since(began)
		if got == status && took <= within {
			return
		}
		if took > within {
			t.Fatalf("after %v a read answers %d, want %d: %s", took, got, status, answer)
		}
	}
}

func TestTokenIsMadeRevokedOrExpiresAndTheServiceDoesNotKnow(t *testing.T) {
	s := startSecured(t)
	token := s.token(t, "--name=one", "--scope=read")
	s.await(t, token, http.StatusOK)
	s.command(t, "revoke", "one")
	s.await(t, token, http.StatusUnauthorized)
	short := s.token(t, "--name=short", "--scope=read", "--expires=1500ms")
	s.await(t, short, http.StatusOK)
	s.await(t, short, http.StatusUnauthorized)
	s.await(t, s.admin, http.StatusOK)
	s.command(t, "revoke", "root")
	s.await(t, s.admin, http.StatusUnauthorized)
	s.await(t, "", http.StatusUnauthorized) // nor does the last token open the door as it goes
	s.get(t, "/health", http.StatusOK)
	s.get(t, "/docs", http.StatusOK)
}

func TestRevokedTokenGoesOnWatching(t *testing.T) {
	s := startSecured(t, "--watch-bookmark=100ms")
	token := s.token(t, "--name=watcher", "--scope=read", "--application=own")
	s.await(t, token, http.StatusOK)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.url("/api/v1/watch?since=0"), nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	var seen strings.Builder
	for events.Scan() && !strings.Contains(events.Text(), "bookmark") {
		seen.WriteString(events.Text())
	}
	if !strings.Contains(seen.String(), s.own.configuration) || strings.Contains(seen.String(), s.other.application) {
		t.Errorf("it sees of its own and of others: %s", &seen)
	}
	s.command(t, "revoke", "watcher")
	stuck := time.AfterFunc(2*time.Second, func() { resp.Body.Close() })
	for events.Scan() {
	}
	if !stuck.Stop() {
		t.Error("2 s after the token was revoked the stream still goes on")
	}
}

// Everything that a process emits is searched for the secret and its hash,
// after it was used well, badly and in places where it does not belong.
func TestSecretIsEmitted(t *testing.T) {
	s := &secured{database: "--database-url=sqlite:" + filepath.Join(t.TempDir(), "store.db")}
	s.admin = s.token(t, "--name=root", "--scope=admin")
	cmd := program(t, s.database, "--listen=127.0.0.1:0", "--log-level=DEBUG")
	cmd.Env = append(cmd.Env, "OTEL_TRACES_EXPORTER=console", "OTEL_METRICS_EXPORTER=console", "OTEL_LOGS_EXPORTER=console")
	s.process = startCommand(t, cmd)
	s.own = s.populate(t, "own")
	var answers strings.Builder
	for _, token := range []string{s.admin, s.admin + "x", s.admin[:40], strings.ToUpper(s.admin), "x, " + s.admin} {
		for _, path := range []string{"/api/v1/applications", "/api/v1/configurations/x", "/nowhere", "/metrics", "/api/v1/watch?since=x",
			"/api/v1/applications?access_token=" + s.admin, "/api/v1/applications?limit=x&access_token=" + s.admin} {
			_, answer := s.call(t, token, "GET", path, "")
			answers.WriteString(answer)
		}
		_, answer := s.call(t, token, "POST", "/api/v1/applications", `{"name":`)
		answers.WriteString(answer)
	}
	s.Process.Signal(syscall.SIGTERM)
	if err := s.wait(t); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(s.admin))
	everything := strings.ToLower(answers.String() + s.stdout.String() + s.stderr.String())
	for _, secret := range []string{s.admin, s.admin[3:20], s.admin[20:], hex.EncodeToString(hash[:8])} {
		if i := strings.Index(everything, strings.ToLower(secret)); i >= 0 {
			t.Errorf("%q is in …%.200s…", secret, everything[max(0, i-100):])
		}
	}
	for _, seen := range []string{"http.server.request.duration", "/api/v1/configurations", `"msg":"change"`, "spanid", "severity"} {
		if !strings.Contains(everything, seen) {
			t.Errorf("the process emits no %q, so that the search proves nothing", seen)
		}
	}
}

func TestServiceOpenToEverybodyIsReachableFromElsewhere(t *testing.T) {
	database := "--database-url=sqlite:" + filepath.Join(t.TempDir(), "store.db")
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		var stderr bytes.Buffer
		cmd := program(t, "--listen="+listen, database)
		cmd.Stderr = &stderr
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitFailure {
			t.Errorf("--listen %s ended with %v, want exit code 1", listen, err)
		}
		for _, want := range []string{listen, "config-service token create", "--allow-anonymous"} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("stderr does not say %s:\n%s", want, &stderr)
			}
		}
	}
	start(t, "--listen=localhost:0", database).get(t, "/api/v1/applications", http.StatusOK)
	start(t, "--listen=0.0.0.0:0", "--allow-anonymous", database).get(t, "/api/v1/applications", http.StatusOK)
	(&secured{database: database}).token(t, "--name=root", "--scope=admin")
	start(t, "--listen=0.0.0.0:0", database).get(t, "/api/v1/applications", http.StatusUnauthorized)
	start(t, "--listen=0.0.0.0:0", "--allow-anonymous", database).get(t, "/api/v1/applications", http.StatusUnauthorized)
}

func TestFirstTokenLeavesARunningServiceOpen(t *testing.T) {
	s := &secured{database: "--database-url=sqlite:" + filepath.Join(t.TempDir(), "store.db")}
	s.process = start(t, s.database)
	s.await(t, "", http.StatusOK)
	token := s.token(t, "--name=first", "--scope=read")
	s.await(t, "", http.StatusUnauthorized)
	s.await(t, token, http.StatusOK)
}

func TestBadUseOfTokensIsTold(t *testing.T) {
	s := &secured{database: "--database-url=sqlite:" + filepath.Join(t.TempDir(), "store.db")}
	s.token(t, "--name=taken", "--scope=read")
	for _, tc := range []struct {
		args []string
		code int
		want []string
	}{
		{nil, exitUsage, []string{"create, list and revoke", "--help"}},
		{[]string{"make"}, exitUsage, []string{`"make"`}},
		{[]string{"create"}, exitUsage, []string{"--name", "--scope"}},
		{[]string{"create", "--name=x", "--scope=root", "--expires=-1h", "more"}, exitUsage, []string{`"root"`, "--expires", `"more"`}},
		{[]string{"list", "--scope=read"}, exitUsage, []string{"token create alone"}},
		{[]string{"revoke"}, exitUsage, []string{"name or id"}},
		{[]string{"create", "--name=taken", "--scope=read"}, exitFailure, []string{"already exists"}},
		{[]string{"create", "--name=x", "--scope=read", "--application=nowhere"}, exitFailure, []string{`"nowhere"`}},
		{[]string{"create", "--name=x", "--scope=read", "--application="}, exitFailure, []string{`""`}},
		{[]string{"revoke", "nobody"}, exitFailure, []string{`"nobody"`}},
	} {
		var stdout, stderr bytes.Buffer
		// What tells a token apart must not come from an environment by chance.
		env := func(name string) string {
			return map[string]string{"CONFIG_SERVICE_SCOPE": "admin", "CONFIG_SERVICE_NAME": "x"}[name]
		}
		code := run(context.Background(), append(append([]string{"token"}, tc.args...), s.database), env, &stdout, &stderr)
		if code != tc.code || stdout.Len() > 0 {
			t.Errorf("token %q: exit code %d, stdout %q", tc.args, code, &stdout)
		}
		for _, want := range tc.want {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("token %q does not say %s:\n%s", tc.args, want, &stderr)
			}
		}
	}
	if list := s.command(t, "list"); strings.Count(list, "\n") != 2 {
		t.Errorf("what was refused is there: %s", list)
	}
}
