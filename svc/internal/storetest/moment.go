package storetest

import (
	"fmt"
	"testing"

	"configservice/svc/internal/conf"
)

// A list takes several statements. What it shows must be of one moment all the
// same: here nothing is ever there half, since each write brings or takes a
// whole application with its configuration.
func testOneMoment(t *testing.T, s *suite) {
	all := conf.Window{Limit: conf.MaxLimit}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 60 {
			a, err := s.CreateApplication(t.Context(), conf.Application{Name: fmt.Sprint("app", i)})
			wantCode(t, err, "")
			_, err = s.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{}`)})
			wantCode(t, err, "")
			if i%3 == 0 {
				_, err = s.DeleteApplication(t.Context(), a.ID, agree)
				wantCode(t, err, "")
			}
		}
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		apps, err := s.Applications(t.Context(), conf.ApplicationQuery{Window: all})
		wantCode(t, err, "")
		wantEqual(t, apps.Total, len(apps.Items))
		for i, a := range apps.Items {
			if len(a.ConfigurationIDs) == 0 && i != len(apps.Items)-1 {
				t.Errorf("%s is shown without its configuration, though a later one is there", a.Name)
			}
		}
		confs, err := s.Configurations(t.Context(), conf.ConfigurationQuery{Window: all})
		wantCode(t, err, "")
		wantEqual(t, confs.Total, len(confs.Items))
	}
}
