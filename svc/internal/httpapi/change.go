package httpapi

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"

	"configservice/svc/internal/conf"
)

// actor tells who makes a request, and from where. The address is the
// connection's: what a header says of it, anybody can write.
func (s *server) actor(r *http.Request) conf.Actor {
	a := conf.Actor{Name: s.Principal(r.Context())}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		a.Address = from.Addr().Unmap().WithZone("").String()
	}
	return a
}

// A change is what a committed write did, as far as the log tells.
type change struct {
	operation       string
	applicationID   string
	configurationID string // empty: of the application itself
	version         int64
	revision        int64
}

func applicationChange(operation string, a conf.Application) change {
	return change{operation: operation, applicationID: a.ID, revision: a.Revision}
}

func configurationChange(operation string, c conf.Configuration) change {
	return change{operation, c.ApplicationID, c.ID, c.Version, c.Revision}
}

// writeKeptApplication answers a write with the application as it now is.
func (s *server) writeKeptApplication(w http.ResponseWriter, r *http.Request, status int, operation string, a conf.Application) error {
	s.committed(w, r, applicationChange(operation, a))
	w.Header().Set("ETag", etag(a.Revision))
	return writeJSON(w, status, a)
}

func (s *server) writeDeleted(w http.ResponseWriter, r *http.Request, c change) error {
	s.committed(w, r, c)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// committed tells of a change that has happened: the caller its revision, the
// log everything but what is in it.
func (s *server) committed(w http.ResponseWriter, r *http.Request, c change) {
	setRevision(w, c.revision)
	const most = 7
	attrs := append(make([]slog.Attr, 0, most), slog.String("operation", c.operation), slog.String("application_id", c.applicationID))
	if c.configurationID != "" {
		attrs = append(attrs, slog.String("configuration_id", c.configurationID), slog.Int64("version", c.version))
	}
	actor := conf.ActorOf(r.Context())
	attrs = append(attrs, slog.Int64("revision", c.revision),
		slog.String("changed_by", actor.Name), slog.String("changed_from", actor.Address))
	s.Logger.LogAttrs(r.Context(), slog.LevelInfo, "change", attrs...)
}

// setRevision tells the revision of a change.
func setRevision(w http.ResponseWriter, revision int64) {
	w.Header().Set("Config-Revision", strconv.FormatInt(revision, 10))
}
