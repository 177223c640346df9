package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"configservice/svc/internal/conf"
)

func (s *server) readConfiguration(w http.ResponseWriter, r *http.Request) (*body, error) {
	fields := []string{"name", "comments", "config"}
	if r.Method != http.MethodPatch { // it changes what can be changed, and the application cannot
		fields = append(fields, "application_id")
	}
	return s.readBody(w, r, fields...)
}

func (b *body) configuration(c *conf.Configuration) {
	b.string("application_id", &c.ApplicationID)
	b.string("name", &c.Name)
	b.nullableString("comments", &c.Comments)
	b.object("config", &c.Config)
	if c.ApplicationID != "" && !isID(c.ApplicationID) {
		f := notAnID("application_id", c.ApplicationID)
		b.problem(f.Pointer, f.Detail)
	}
}

func (s *server) createConfiguration(w http.ResponseWriter, r *http.Request) error {
	b, err := s.readConfiguration(w, r)
	if err != nil {
		return err
	}
	var c conf.Configuration
	b.require("application_id", "name", "config")
	b.configuration(&c)
	if err := b.err(c.Validate()); err != nil {
		return err
	}
	if c, err = s.Store.CreateConfiguration(r.Context(), c); err != nil {
		return err
	}
	w.Header().Set("Location", base+"/configurations/"+c.ID)
	return s.writeKept(w, r, http.StatusCreated, conf.Create, c)
}

func (s *server) listConfigurations(w http.ResponseWriter, r *http.Request) error {
	return s.writeConfigurations(w, r, "")
}

// writeConfigurations lists those of one application, or, when applicationID
// is empty, of the one that the query names, if any.
func (s *server) writeConfigurations(w http.ResponseWriter, r *http.Request, applicationID string) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	query := conf.ConfigurationQuery{Window: q.window(), ApplicationID: applicationID}
	if applicationID == "" {
		query.ApplicationID = q.id("application_id")
	}
	if err := q.err(); err != nil {
		return err
	}
	page, err := s.Store.Configurations(r.Context(), query)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, page)
}

func (s *server) getConfiguration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	if r.URL.RawQuery == "" { // most often, and then nothing else is asked
		c, err := s.Store.Configuration(r.Context(), id)
		return s.writeConfiguration(w, r, c, err)
	}
	return s.readConfigurationAs(w, r,
		func() (conf.Configuration, error) { return s.Store.Configuration(r.Context(), id) },
		func(at conf.Point) (conf.Configuration, error) { return s.Store.ConfigurationAt(r.Context(), id, at) })
}

func (s *server) getConfigurationByName(w http.ResponseWriter, r *http.Request) error {
	application, name := r.PathValue("application"), r.PathValue("configuration")
	if r.URL.RawQuery == "" {
		c, err := s.Store.ConfigurationByName(r.Context(), application, name)
		return s.writeConfiguration(w, r, c, err)
	}
	return s.readConfigurationAs(w, r,
		func() (conf.Configuration, error) {
			return s.Store.ConfigurationByName(r.Context(), application, name)
		},
		func(at conf.Point) (conf.Configuration, error) {
			return s.Store.ConfigurationByNameAt(r.Context(), application, name, at)
		})
}

// readConfigurationAs answers with a configuration as the query wants it: as it
// was at a point, once it is news to the client, or as it is now.
func (s *server) readConfigurationAs(w http.ResponseWriter, r *http.Request,
	now func() (conf.Configuration, error), then func(conf.Point) (conf.Configuration, error)) error {
	at, err := readAt(r)
	if err != nil {
		return err
	}
	hold, err := readHold(r)
	if err != nil {
		return err
	}
	var c conf.Configuration
	switch {
	case at != nil:
		c, err = then(*at)
	case hold != nil:
		return s.writeHeld(w, r, hold, now)
	default:
		c, err = now()
	}
	return s.writeConfiguration(w, r, c, err)
}

// writeConfiguration answers a read that the store ended with c and err.
func (s *server) writeConfiguration(w http.ResponseWriter, r *http.Request, c conf.Configuration, err error) error {
	if err != nil {
		if conf.CodeOf(err) == conf.NotFound {
			s.Observer.Read(r.Context(), "store", "not_found")
		}
		return err
	}
	a, prepared := c.Prepared.(*answer)
	if !prepared {
		a = newAnswer(c.Revision)
	}
	if a.known(r) {
		s.Observer.Read(r.Context(), sourceOf(c), "not_modified")
		a.writeNotModified(w)
		return nil
	}
	s.Observer.Read(r.Context(), sourceOf(c), "hit")
	if !prepared {
		if err := a.encode(c); err != nil {
			return err
		}
	}
	a.write(w, http.StatusOK, s.fixed)
	return nil
}

// sourceOf returns where c was read from.
func sourceOf(c conf.Configuration) string {
	if c.Cached {
		return "cache"
	}
	return "store"
}

func (s *server) updateConfiguration(w http.ResponseWriter, r *http.Request) error {
	return s.changeConfiguration(w, r, func(c *conf.Configuration, config json.RawMessage) error {
		c.Config = config
		return nil
	})
}

func (s *server) patchConfiguration(w http.ResponseWriter, r *http.Request) error {
	return s.changeConfiguration(w, r, func(c *conf.Configuration, patch json.RawMessage) error {
		merged, err := mergePatch(c.Config, patch)
		if err != nil {
			return fmt.Errorf("merge patch: %w", err)
		}
		err = s.checkSize(c.Config, merged)
		c.Config = merged
		return err
	})
}

// checkSize holds what patches add up to against the bound of a body, so that
// small ones, again and again, do not grow a configuration without end. One
// that is too large already, because the bound was lowered, may shrink.
func (s *server) checkSize(old, patched json.RawMessage) error {
	if size := int64(len(patched)); size <= s.MaxBody || len(patched) <= len(old) {
		return nil
	}
	return conf.Errorf(codeTooLarge, "the patched config is larger than %d bytes", s.MaxBody)
}

// changeConfiguration makes the next version of a configuration of what the body
// has; apply is for its config, if it has one.
func (s *server) changeConfiguration(w http.ResponseWriter, r *http.Request, apply func(*conf.Configuration, json.RawMessage) error) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	b, err := s.readConfiguration(w, r)
	if err != nil {
		return err
	}
	// A stand-in that is valid tells what is wrong with the fields that the
	// body has, before the store is asked. Others wait while an edit runs, so it
	// only assigns.
	given := conf.Configuration{ApplicationID: id, Name: "x"}
	b.configuration(&given)
	standIn := given
	standIn.Config = []byte("{}") // the body's has been gone over
	if err := b.err(standIn.Validate()); err != nil {
		return err
	}
	c, err := s.Store.UpdateConfiguration(r.Context(), id, func(c *conf.Configuration) error {
		if err := checkMatch(w, r, c.Revision); err != nil {
			return err
		}
		if b.field("application_id") != nil {
			if err := checkOwner(c.ApplicationID, given.ApplicationID); err != nil {
				return err
			}
		}
		if b.field("name") != nil {
			c.Name = given.Name
		}
		if b.field("comments") != nil {
			c.Comments = given.Comments
		}
		if b.field("config") == nil {
			return nil
		}
		return apply(c, given.Config)
	})
	if err != nil {
		return err
	}
	return s.writeKept(w, r, http.StatusOK, conf.Update, c)
}

// writeKept answers a write with the configuration as it now is.
func (s *server) writeKept(w http.ResponseWriter, r *http.Request, status int, operation string, c conf.Configuration) error {
	s.committed(w, r, configurationChange(operation, c))
	a := newAnswer(c.Revision)
	if err := a.encode(c); err != nil {
		return err
	}
	a.write(w, status, s.fixed)
	return nil
}

func checkOwner(current, wanted string) error {
	if wanted == current {
		return nil
	}
	return conf.InvalidFields([]conf.FieldError{{Pointer: "/application_id",
		Detail: fmt.Sprintf("is %s; a configuration stays with its application, %s", wanted, current)}})
}

func (s *server) deleteConfiguration(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var last conf.Configuration
	revision, err := s.Store.DeleteConfiguration(r.Context(), id, func(c *conf.Configuration) error {
		last = *c
		return checkMatch(w, r, c.Revision)
	})
	if err != nil {
		return err
	}
	last.Revision = revision
	last.Version++ // to delete is a change, too
	return s.writeDeleted(w, r, configurationChange(conf.Delete, last))
}
