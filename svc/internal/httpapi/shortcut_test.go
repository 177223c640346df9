package httpapi

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"configservice/svc/internal/cache"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
)

// shortcutRig is an API with a shortcut and one without, on one store.
type shortcutRig struct {
	short, long *API
	cached      *cache.Store
	c           conf.Configuration
	fresh, may  bool
}

func newShortcutRig(t *testing.T) *shortcutRig {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &shortcutRig{fresh: true, may: true}
	r.cached = cache.New(store, 1<<20, func() bool { return r.fresh }, Prepare)
	o := Options{Store: r.cached}
	r.long = r.api(t, o)
	o.Memory, o.Reader = r.cached, func(*http.Request) Reader { return r }
	r.short = r.api(t, o)
	a, err := store.CreateApplication(t.Context(), conf.Application{Name: "shop"})
	if err == nil {
		r.c, err = store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{"a":1.10,"b":"<&>"}`)})
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *shortcutRig) Allowed(applicationID string) bool {
	return r.may && applicationID == r.c.ApplicationID
}

func (r *shortcutRig) api(t *testing.T, o Options) *API {
	t.Helper()
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// remember brings the configuration into memory under its id and its names.
func (r *shortcutRig) remember() {
	for _, path := range []string{configurationPath + r.c.ID, configurationByNamePath + "shop/main"} {
		r.long.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
}

// An outcome is all that a client and the telemetry around see of an answer.
type outcome struct {
	Status  int
	Header  http.Header
	Body    string
	Pattern string
}

func answered(h http.Handler, method, path, known string) outcome {
	r := httptest.NewRequest(method, path, nil)
	if known != "" {
		r.Header.Set("If-None-Match", known)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return outcome{w.Code, w.Header(), w.Body.String(), r.Pattern}
}

func TestShortcutAnswersOtherThanTheWholeWay(t *testing.T) {
	r := newShortcutRig(t)
	r.remember()
	byID, byName := configurationPath+r.c.ID, configurationByNamePath+"shop/main"
	tag := etag(r.c.Revision)
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST"} {
		for _, path := range []string{byID, byName, byID + "/", byName + "/", byID + "?", byID + "?at=1", byID + "?limit=x", byName + "/x",
			configurationPath, configurationPath + "x", configurationPath + ulid.Make().String(), configurationByNamePath + "shop",
			configurationByNamePath + "shop/", configurationByNamePath + "shop/other", configurationByNamePath + "shop//main",
			configurationByNamePath + "./main", configurationByNamePath + "sh%6fp/main", configurationByNamePath + "shop%2Fmain", "/", "/livez"} {
			for _, known := range []string{"", tag, `"0"`, "W/" + tag, `"0", ` + tag, "*"} {
				if diff := cmp.Diff(answered(r.long, method, path, known), answered(r.short, method, path, known)); diff != "" {
					t.Errorf("%s %s with If-None-Match %q (-whole way +shortcut)\n%s", method, path, known, diff)
				}
			}
		}
	}
}

func TestShortcutIsTakenWhereItMustNot(t *testing.T) {
	r := newShortcutRig(t)
	took := func(path string) bool {
		_, _, done := r.short.Shortcut(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
		return done
	}
	byID, byName := configurationPath+r.c.ID, configurationByNamePath+"shop/main"
	want := func(when string, path string, expected bool) {
		t.Helper()
		if took(path) != expected {
			t.Errorf("%s, %s: taken is %v", when, path, !expected)
		}
	}
	want("before it is in memory", byID, false)
	r.remember()
	for _, path := range []string{byID, byName} {
		want("in memory", path, true)
		r.may = false
		want("to who may not read it", path, false)
		r.may, r.fresh = true, false
		want("while memory may be stale", path, false)
		r.fresh = true
	}
	_, err := r.cached.UpdateConfiguration(t.Context(), r.c.ID, func(c *conf.Configuration) error { c.Config = []byte(`{}`); return nil })
	if err != nil {
		t.Fatal(err)
	}
	want("after a change", byID, false)
	want("after a change", byName, false)
}

func TestShortcutTellsWhatItWroteAndAllocatesNothing(t *testing.T) {
	r := newShortcutRig(t)
	r.remember()
	for known, want := range map[string]int{"": http.StatusOK, etag(r.c.Revision): http.StatusNotModified} {
		request := httptest.NewRequest("GET", configurationPath+r.c.ID, nil)
		request.Header.Set("If-None-Match", known)
		w := httptest.NewRecorder()
		status, written, done := r.short.Shortcut(w, request)
		if !done || status != want || w.Code != want || written != w.Body.Len() {
			t.Errorf("it tells %d and %d bytes (%v), and wrote %d and %d", status, written, done, w.Code, w.Body.Len())
		}
		nowhere := &nowhere{http.Header{}}
		if n := testing.AllocsPerRun(100, func() { r.short.Shortcut(nowhere, request) }); n > 0 {
			t.Errorf("%d: %v allocations", want, n)
		}
	}
}

// nowhere is a response that is not kept.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header       { return n.header }
func (*nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (*nowhere) WriteHeader(int)             {}

func TestIDsAreThoseThatTheStoreAssigns(t *testing.T) {
	good := ulid.Make().String()
	ids := []string{good, "", good[1:], good + "0", "8" + good[1:], "7" + good[1:]}
	for c := range 256 {
		ids = append(ids, good[:25]+string([]byte{byte(c)}))
	}
	for id := range slices.Values(ids) {
		parsed, err := ulid.ParseStrict(id)
		if want := err == nil && parsed.String() == id; isID(id) != want {
			t.Errorf("isID(%q) is %v", id, !want)
		}
	}
}
