//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// perApplication is how many configurations each application of a store has.
const perApplication = 1000

func applicationName(i int) string   { return fmt.Sprintf("app%d", i) }
func configurationName(i int) string { return fmt.Sprintf("conf%d", i) }

// document is the JSON of the i-th configuration: with what the API says of
// it, an answer of some 400 bytes.
func document(i int) string {
	return fmt.Sprintf(`{"feature":"checkout","enabled":true,"limit":%d,"hosts":["a.example.com","b.example.com"],"ratio":0.25}`, 10_000_000+i)
}

// writeLines writes n configurations as config-service's import takes them.
func writeLines(file string, n int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		application := applicationName(i / perApplication)
		if i%perApplication == 0 {
			fmt.Fprintf(w, "{\"kind\":\"application\",\"name\":%q}\n", application)
		}
		fmt.Fprintf(w, "{\"kind\":\"configuration\",\"application\":%q,\"name\":%q,\"config\":%s}\n",
			application, configurationName(i%perApplication), document(i))
	}
	return errors.Join(w.Flush(), f.Close())
}

// fill makes a store of n configurations at a database URL.
func (b *bench) fill(ctx context.Context, databaseURL string, n int) error {
	file := filepath.Join(b.dir, fmt.Sprintf("%d.jsonl", n))
	if _, err := os.Stat(file); err != nil {
		if err := writeLines(file, n); err != nil {
			return err
		}
	}
	_, err := b.service(ctx, "import", "--database-url="+databaseURL, file)
	return err
}

// fillSQLite makes a store of n configurations, by import the first time and
// then by copy, and returns its URL.
func (b *bench) fillSQLite(ctx context.Context, name string, n int) (url string, err error) {
	first := filepath.Join(b.dir, fmt.Sprintf("%d.db", n))
	if _, err := os.Stat(first); err != nil {
		if err := b.fill(ctx, "sqlite:"+first, n); err != nil {
			return "", err
		}
	}
	file := filepath.Join(b.dir, name+".db")
	_, err = b.service(ctx, "backup", "--database-url=sqlite:"+first, file)
	return "sqlite:" + file, err
}

// makeToken turns access control on.
func (b *bench) makeToken(ctx context.Context, databaseURL string) (token string, err error) {
	out, err := b.service(ctx, "token", "create", "--name=bench", "--scope=write", "--database-url="+databaseURL)
	return strings.TrimSpace(out), err
}

// service runs the service's program to its end.
func (b *bench) service(ctx context.Context, args ...string) (stdout string, err error) {
	cmd := exec.CommandContext(ctx, b.program("config-service"), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("config-service %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), err
}

// ids returns those of the first n configurations of a running service, in
// the order in which they were made.
func (c *candidate) ids(ctx context.Context, n int) (ids []string, err error) {
	for len(ids) < n {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet,
			fmt.Sprintf("http://%s/api/v1/configurations?limit=%d&offset=%d", c.address, min(n-len(ids), 1000), len(ids)), nil)
		if err != nil {
			return nil, err
		}
		r.Header = c.header()
		body, err := do(r)
		if err != nil {
			return nil, err
		}
		var page struct{ Items []struct{ ID string } }
		if err := json.Unmarshal(body, &page); err != nil || len(page.Items) == 0 {
			return nil, fmt.Errorf("the store has too few configurations (%w)", err)
		}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
	}
	return ids, nil
}

// etcdKey is how the gateway of etcd wants the i-th key.
func etcdKey(i int) string { return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "conf%d", i)) }

// fillEtcd puts n documents into etcd.
func fillEtcd(ctx context.Context, address string, n int) error {
	for i := range n {
		body := fmt.Sprintf(`{"key":%q,"value":%q}`, etcdKey(i), etcdValue(i))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v3/kv/put", strings.NewReader(body))
		if err != nil {
			return err
		}
		if _, err := do(r); err != nil {
			return err
		}
	}
	return nil
}

// etcdValue is a document that makes an answer as long as the service's.
func etcdValue(i int) string {
	return base64.StdEncoding.EncodeToString([]byte(document(i)))
}
