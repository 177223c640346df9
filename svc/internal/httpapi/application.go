package httpapi

import (
	"net/http"

	"configservice/svc/internal/conf"
)

func (b *body) application(a *conf.Application) {
	b.string("name", &a.Name)
	b.nullableString("comments", &a.Comments)
}

func (s *server) createApplication(w http.ResponseWriter, r *http.Request) error {
	b, err := s.readBody(w, r, "name", "comments")
	if err != nil {
		return err
	}
	var a conf.Application
	b.require("name")
	b.application(&a)
	if err := b.err(a.Validate()); err != nil {
		return err
	}
	if a, err = s.Store.CreateApplication(r.Context(), a); err != nil {
		return err
	}
	w.Header().Set("Location", base+"/applications/"+a.ID)
	return s.writeKeptApplication(w, r, http.StatusCreated, conf.Create, a)
}

func (s *server) listApplications(w http.ResponseWriter, r *http.Request) error {
	q, err := readQuery(r)
	if err != nil {
		return err
	}
	query := conf.ApplicationQuery{Window: q.window(), Name: q.values.Get("name")}
	if err := q.err(); err != nil {
		return err
	}
	page, err := s.Store.Applications(r.Context(), query)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, page)
}

func (s *server) getApplication(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	a, err := s.Store.Application(r.Context(), id)
	if err != nil {
		return err
	}
	if notModified(w, r, a.Revision) {
		return nil
	}
	return writeJSON(w, http.StatusOK, a)
}

func (s *server) updateApplication(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	b, err := s.readBody(w, r, "name", "comments")
	if err != nil {
		return err
	}
	// A stand-in that is valid tells what is wrong with the fields that the
	// body has, before the store is asked.
	standIn := conf.Application{Name: "x"}
	b.application(&standIn)
	if err := b.err(standIn.Validate()); err != nil {
		return err
	}
	a, err := s.Store.UpdateApplication(r.Context(), id, func(a *conf.Application) error {
		b.application(a)
		return checkMatch(w, r, a.Revision)
	})
	if err != nil {
		return err
	}
	return s.writeKeptApplication(w, r, http.StatusOK, conf.Update, a)
}

func (s *server) deleteApplication(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	revision, err := s.Store.DeleteApplication(r.Context(), id, func(a *conf.Application) error {
		return checkMatch(w, r, a.Revision)
	})
	if err != nil {
		return err
	}
	return s.writeDeleted(w, r, applicationChange(conf.Delete, conf.Application{ID: id, Revision: revision}))
}

func (s *server) listConfigurationsOf(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.writeConfigurations(w, r, id)
}
