package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"configservice/svc/internal/conf"
)

const base = "/api/v1"

// A route is one call of the contract. A collection's path also answers with a
// slash at its end.
type route struct {
	method, path string
	collection   bool
	handler      http.Handler
}

func (s *server) routes() []route {
	read := func(path string, h handler) route {
		return route{"GET", path, false, s.handle(s.atLeast(h))}
	}
	list := func(path string, h handler) route {
		return route{"GET", path, true, s.handle(s.atLeast(h))}
	}
	create := func(path string, h handler) route {
		return route{"POST", path, true, s.handle(s.counted(conf.Create, h))}
	}
	update := func(method, path string, h handler) route {
		return route{method, path, false, s.handle(s.counted(conf.Update, h))}
	}
	remove := func(path string, h handler) route {
		return route{"DELETE", path, false, s.handle(s.counted(conf.Delete, h))}
	}
	rollback := func(path string, h handler) route {
		return route{"POST", path, false, s.handle(s.counted(conf.Rollback, h))}
	}
	page := func(path string, h http.Handler) route {
		return route{"GET", path, false, h}
	}
	docs := docsPage("/docs")
	return []route{
		create(base+"/applications", s.createApplication),
		list(base+"/applications", s.listApplications),
		read(base+"/applications/{id}", s.getApplication),
		update("PUT", base+"/applications/{id}", s.updateApplication),
		remove(base+"/applications/{id}", s.deleteApplication),
		list(base+"/applications/{id}/configurations", s.listConfigurationsOf),

		create(base+"/configurations", s.createConfiguration),
		list(base+"/configurations", s.listConfigurations),
		read(base+"/configurations/{id}", s.getConfiguration),
		update("PUT", base+"/configurations/{id}", s.updateConfiguration),
		update("PATCH", base+"/configurations/{id}", s.patchConfiguration),
		remove(base+"/configurations/{id}", s.deleteConfiguration),
		list(base+"/configurations/{id}/versions", s.listVersions),
		read(base+"/configurations/{id}/versions/{version}", s.getVersion),
		read(base+"/configurations/{id}/diff", s.diffVersions),
		rollback(base+"/configurations/{id}/rollback", s.rollbackConfiguration),
		list(base+"/audit", s.listAudit),
		read(base+"/config/{application}/{configuration}", s.getConfigurationByName),

		page(base+"/watch", s.handle(s.watch)),

		page("/health", s.handle(s.health)),
		page("/livez", s.handle(s.livez)),
		page("/readyz", s.handle(s.readyz)),
		page("/metrics", s.Metrics),
		page("/openapi.yaml", openapiYAML()),
		page("/openapi.json", s.contractJSON),
		page("/docs", s.handle(docs)),
		page("/docs/{asset...}", s.handle(docs)),
	}
}

// counted tells the store who makes each write, and the observer how it ended.
func (s *server) counted(operation string, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		r = r.WithContext(conf.WithActor(r.Context(), s.actor(r)))
		err := h(w, r)
		s.Observer.Write(r.Context(), operation, writeOutcome(err))
		return err
	}
}

func writeOutcome(err error) string {
	switch code := conf.CodeOf(err); {
	case err == nil:
		return "ok"
	case code == conf.Exists, code == conf.PreconditionFailed:
		return "conflict"
	case status(code) < http.StatusInternalServerError:
		return "invalid"
	}
	return "error"
}

// mux routes by a table like the one above. Each path also gets an entry for the methods
// that it does not have, so that 405 is a problem document with its route
// known, and everything else is one 404.
func (s *server) mux(routes []route) *http.ServeMux {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	add := func(method, path string, h http.Handler) {
		mux.Handle(method+" "+path, h)
		methods[path] = append(methods[path], method)
	}
	for _, r := range routes {
		if strings.HasPrefix(r.path, base+"/") {
			r.handler = s.guarded(r.handler)
		}
		add(r.method, r.path, r.handler)
		if r.collection {
			add(r.method, r.path+"/{$}", r.handler)
		}
	}
	for path, allowed := range methods {
		mux.Handle(path, s.handle(methodNotAllowed(allowed)))
	}
	mux.Handle("/", s.handle(routeNotFound))
	return mux
}

func methodNotAllowed(allowed []string) handler {
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allow)
		return conf.Errorf(codeMethodNotAllowed, "this path does not have the method %s, only %s", r.Method, allow)
	}
}

func routeNotFound(_ http.ResponseWriter, r *http.Request) error {
	return conf.Errorf(conf.NotFound, "there is nothing at %s; GET /docs shows what there is", r.URL.Path)
}
