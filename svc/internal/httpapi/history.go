package httpapi

import (
	"net/http"

	"configservice/svc/internal/conf"
)

func (s *server) listVersions(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	window := q.window()
	if err := q.err(); err != nil {
		return err
	}
	page, err := s.Store.Versions(r.Context(), id, window)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, page)
}

func (s *server) getVersion(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	version, err := pathVersion(r)
	if err != nil {
		return err
	}
	v, err := s.Store.Version(r.Context(), id, version)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, v)
}

const jsonPatchType = "application/json-patch+json"

func (s *server) diffVersions(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	from, to := q.version("from"), q.version("to")
	if err := q.err(); err != nil {
		return err
	}
	old, err := s.Store.Version(r.Context(), id, from)
	if err != nil {
		return err
	}
	wanted, err := s.Store.Version(r.Context(), id, to)
	if err != nil {
		return err
	}
	patch, err := jsonPatch(old.Config, wanted.Config)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, jsonPatchType, patch)
}

func (s *server) rollbackConfiguration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	b, err := s.readBody(w, r, "version")
	if err != nil {
		return err
	}
	var version int64
	b.require("version")
	b.version("version", &version)
	if err := b.err(nil); err != nil {
		return err
	}
	c, err := s.Store.RollbackConfiguration(r.Context(), id, version, func(c *conf.Configuration) error {
		return checkMatch(w, r, c.Revision)
	})
	if err != nil {
		return err
	}
	return s.writeKept(w, r, http.StatusOK, conf.Rollback, c)
}

// readAt returns the point that a read asks for, nil for now.
func readAt(r *http.Request) (*conf.Point, error) {
	if r.URL.RawQuery == "" { // as the path of most reads is
		return nil, nil
	}
	q, err := readQuery(r)
	if err != nil {
		return nil, err
	}
	at := q.point("at")
	return at, q.err()
}

func (s *server) listAudit(w http.ResponseWriter, r *http.Request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	query := conf.AuditQuery{Window: q.window(), ApplicationID: q.id("application_id"),
		ConfigurationID: q.id("configuration_id"), ChangedBy: q.values.Get("changed_by")}
	if err := q.err(); err != nil {
		return err
	}
	page, err := s.Store.Audit(r.Context(), query)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, page)
}
