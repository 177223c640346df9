package instrument

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// An exchange is one request with its response, in one allocation.
type exchange struct {
	start    time.Time
	method   string
	https    bool
	span     trace.Span
	returned bool // the handler returned; it did not panic
	body     body
	response response
}

// wrap puts the counting body into r and takes w for the response. A request
// without a body keeps nil or http.NoBody, which others compare with.
func (x *exchange) wrap(w http.ResponseWriter, r *http.Request) {
	x.response.ResponseWriter = w
	x.response.head = r.Method == http.MethodHead
	if r.Body != nil && r.Body != http.NoBody {
		x.body.ReadCloser = r.Body
		r.Body = &x.body
	}
}

func (x *exchange) status() int {
	switch {
	case !x.returned:
		return http.StatusInternalServerError
	case x.response.code == 0:
		return http.StatusOK
	}
	return x.response.code
}

// A body counts the bytes that the handler reads. The count is atomic because a
// handler may leave a reader behind when it returns.
type body struct {
	io.ReadCloser
	read atomic.Int64
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}

// A response notes the final status and counts the bytes of the body. It passes
// on what net/http's own can do: flush, send a file, write a string, be hijacked
// and, by Unwrap, whatever http.ResponseController finds.
type response struct {
	http.ResponseWriter
	code    int // 0 until the header is written
	written int64
	head    bool // to a HEAD request: net/http counts a body that it does not send
}

func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *response) WriteHeader(code int) {
	// Informational statuses precede the final one, but 101 is final.
	if r.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *response) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.wrote(int64(n))
	return n, err
}

func (r *response) WriteString(s string) (int, error) {
	n, err := io.WriteString(r.ResponseWriter, s)
	r.wrote(int64(n))
	return n, err
}

// ReadFrom lets the server send a file without copying it through the process.
func (r *response) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(r.ResponseWriter, src)
	r.wrote(n)
	return n, err
}

func (r *response) wrote(n int64) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	if !r.head {
		r.written += n
	}
}

// Flush sends what is buffered, where the server can.
func (r *response) Flush() { _ = r.FlushError() }

// FlushError is Flush for http.ResponseController.
func (r *response) FlushError() error {
	if err := http.NewResponseController(r.ResponseWriter).Flush(); err != nil {
		return err
	}
	r.wrote(0)
	return nil
}

// Hijack hands over the connection, where the server can. What goes over it
// from then on is not HTTP: the exchange counts as 101 unless it had a status.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.ResponseWriter).Hijack()
	if err == nil && r.code == 0 {
		r.code = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}
