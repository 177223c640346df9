package access

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"configservice/svc/internal/conf"
)

// A world is two applications, each with a configuration, as the decorated
// store shows them to who has a token.
type world struct {
	*rig
	conf.Store
	own, other           conf.Application
	ownConfig, otherConf conf.Configuration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{rig: newRig(t)}
	w.Store = Store(w.rig.store)
	make := func(name string) (conf.Application, conf.Configuration) {
		a, err := w.rig.store.CreateApplication(t.Context(), conf.Application{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		c, err := w.rig.store.CreateConfiguration(t.Context(), conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		return a, c
	}
	w.other, w.otherConf = make("other")
	w.own, w.ownConfig = make("own")
	return w
}

const absent = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

// A target is where a call of the matrix goes.
type target struct{ applicationID, application, configurationID string }

func (w *world) targets() map[string]target {
	return map[string]target{
		"own":    {w.own.ID, "own", w.ownConfig.ID},
		"other":  {w.other.ID, "other", w.otherConf.ID},
		"absent": {absent, "absent", absent},
	}
}

func agree[T any](*T) error { return nil }

// operation is a call of the store. Those that write are refused last by an
// edit of the test's, so that one world serves all.
type operation struct {
	name  string
	needs conf.Scope
	call  func(context.Context, conf.Store, target) error
}

var errStop = conf.Errorf(conf.PreconditionFailed, "it came through")

func stop[T any](*T) error { return errStop }

func operations() []operation {
	first := conf.Window{Limit: 1}
	return []operation{
		{"Application", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Application(ctx, at.applicationID)
			return err
		}},
		{"Configurations", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Configurations(ctx, conf.ConfigurationQuery{Window: first, ApplicationID: at.applicationID})
			return err
		}},
		{"Configuration", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Configuration(ctx, at.configurationID)
			return err
		}},
		{"ConfigurationByName", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.ConfigurationByName(ctx, at.application, "main")
			return err
		}},
		{"ConfigurationAt", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.ConfigurationAt(ctx, at.configurationID, conf.Point{Revision: 4})
			return err
		}},
		{"ConfigurationByNameAt", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.ConfigurationByNameAt(ctx, at.application, "main", conf.Point{Revision: 4})
			return err
		}},
		{"Versions", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Versions(ctx, at.configurationID, first)
			return err
		}},
		{"Version", conf.ScopeRead, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Version(ctx, at.configurationID, 1)
			return err
		}},
		{"CreateConfiguration", conf.ScopeWrite, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.CreateConfiguration(ctx, conf.Configuration{ApplicationID: at.applicationID, Name: "main", Config: []byte(`{}`)})
			return err
		}},
		{"UpdateConfiguration", conf.ScopeWrite, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.UpdateConfiguration(ctx, at.configurationID, stop)
			return err
		}},
		{"RollbackConfiguration", conf.ScopeWrite, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.RollbackConfiguration(ctx, at.configurationID, 1, stop)
			return err
		}},
		{"DeleteConfiguration", conf.ScopeWrite, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.DeleteConfiguration(ctx, at.configurationID, stop)
			return err
		}},
		{"UpdateApplication", "own", func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.UpdateApplication(ctx, at.applicationID, stop)
			return err
		}},
		{"DeleteApplication", "own", func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.DeleteApplication(ctx, at.applicationID, stop)
			return err
		}},
		{"Audit", conf.ScopeAdmin, func(ctx context.Context, s conf.Store, at target) error {
			_, err := s.Audit(ctx, conf.AuditQuery{Window: first, ApplicationID: at.applicationID})
			return err
		}},
	}
}

// through reports whether a token may do what needs a scope: to rename and
// delete an application takes write of who is not limited, or admin.
func through(scope, needs conf.Scope, limited bool, place string) bool {
	if needs == "own" {
		needs = conf.ScopeWrite
		if limited {
			needs = conf.ScopeAdmin
		}
	}
	return scope.Covers(needs) && (!limited || place == "own")
}

// Every cell of scope × limit × operation × place.
func TestTokenReachesBeyondItsScopeOrApplications(t *testing.T) {
	w := newWorld(t)
	for _, scope := range []conf.Scope{conf.ScopeRead, conf.ScopeWrite, conf.ScopeAdmin} {
		for _, limited := range []bool{false, true} {
			token := conf.Token{Scope: scope}
			if limited {
				token.Applications = []string{w.own.ID}
			}
			ctx := w.as(t, w.token(t, token))
			for _, op := range operations() {
				for place, at := range w.targets() {
					t.Run(fmt.Sprint(scope, " limited=", limited, " ", op.name, " ", place), func(t *testing.T) {
						err := op.call(ctx, w.Store, at)
						refused := conf.CodeOf(err) == conf.Forbidden
						if want := !through(scope, op.needs, limited, place); refused != want {
							t.Errorf("refused: %v, want %v (%v)", refused, want, err)
						}
					})
				}
			}
		}
	}
}

// What others have must not be told from what nobody has.
func TestRefusalTellsWhatExistsElsewhere(t *testing.T) {
	w := newWorld(t)
	for _, scope := range []conf.Scope{conf.ScopeRead, conf.ScopeWrite, conf.ScopeAdmin} {
		ctx := w.as(t, w.token(t, conf.Token{Scope: scope, Applications: []string{w.own.ID}}))
		for _, op := range operations() {
			there := op.call(ctx, w.Store, w.targets()["other"])
			nowhere := op.call(ctx, w.Store, w.targets()["absent"])
			if there == nil || nowhere == nil || there.Error() != nowhere.Error() || conf.CodeOf(there) != conf.CodeOf(nowhere) {
				t.Errorf("%s with %s: there %v, nowhere %v", op.name, scope, there, nowhere)
			}
		}
	}
}

func TestProgramDoesNotLearnThatItsConfigurationIsMissing(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(t, w.token(t, conf.Token{Scope: conf.ScopeWrite, Applications: []string{w.own.ID}}))
	_, err := w.ConfigurationByName(ctx, "own", "missing")
	wantCode(t, err, conf.NotFound)
	_, err = w.Version(ctx, w.ownConfig.ID, 7)
	wantCode(t, err, conf.NotFound)
	_, err = w.RollbackConfiguration(ctx, w.ownConfig.ID, 7, agree)
	wantCode(t, err, conf.NotFound)
	_, err = w.ConfigurationByName(ctx, "", "missing")
	wantCode(t, err, conf.Forbidden)
}

func TestListTellsWhatOthersHave(t *testing.T) {
	w := newWorld(t)
	window := conf.Window{Limit: 10}
	for limited, want := range map[bool]int{false: 2, true: 1} {
		token := conf.Token{Scope: conf.ScopeRead}
		if limited {
			token.Applications = []string{w.own.ID, absent}
		}
		ctx := w.as(t, w.token(t, token))
		apps, err := w.Applications(ctx, conf.ApplicationQuery{Window: window})
		if wantCode(t, err, ""); apps.Total != want || len(apps.Items) != want || apps.Items[want-1].Name != "own" {
			t.Errorf("limited %v: %+v", limited, apps)
		}
		named, err := w.Applications(ctx, conf.ApplicationQuery{Window: window, Name: "other"})
		if wantCode(t, err, ""); named.Total != want-1 {
			t.Errorf("limited %v, by name: %+v", limited, named)
		}
		configs, err := w.Configurations(ctx, conf.ConfigurationQuery{Window: window})
		if wantCode(t, err, ""); configs.Total != want || len(configs.Items) != want {
			t.Errorf("limited %v: %+v", limited, configs)
		}
	}
}

// What is about no one application is for who is limited to none.
func TestLimitedTokenDoesWhatIsAboutAll(t *testing.T) {
	w := newWorld(t)
	for _, tc := range []struct {
		name  string
		needs conf.Scope
		call  func(context.Context) error
	}{
		{"CreateApplication", conf.ScopeWrite, func(ctx context.Context) error {
			_, err := w.CreateApplication(ctx, conf.Application{Name: "own"})
			return err
		}},
		{"Changes", conf.ScopeRead, func(ctx context.Context) error { _, err := w.Changes(ctx, 0, 1); return err }},
		{"Prune", conf.ScopeAdmin, func(ctx context.Context) error {
			return w.Prune(ctx, conf.Retention{Versions: 9, Age: 1 << 60, Audit: 1 << 60})
		}},
		{"Audit", conf.ScopeAdmin, func(ctx context.Context) error {
			_, err := w.Audit(ctx, conf.AuditQuery{Window: conf.Window{Limit: 1}})
			return err
		}},
	} {
		for _, scope := range []conf.Scope{conf.ScopeRead, conf.ScopeWrite, conf.ScopeAdmin} {
			err := tc.call(w.as(t, w.token(t, conf.Token{Scope: scope, Applications: []string{w.own.ID}})))
			wantCode(t, err, conf.Forbidden)
			err = tc.call(w.as(t, w.token(t, conf.Token{Scope: scope})))
			if refused := conf.CodeOf(err) == conf.Forbidden; refused == scope.Covers(tc.needs) {
				t.Errorf("%s with the scope %s: %v", tc.name, scope, err)
			}
		}
	}
}

// The check of a change must see what the change sees: here a token is revoked
// between the look at the request and the transaction.
func TestTokenRevokedMeanwhileStillWrites(t *testing.T) {
	w := newWorld(t)
	ctx := w.as(t, w.token(t, conf.Token{Name: "mine", Scope: conf.ScopeWrite}))
	held := revoking{w.rig.store, func() { w.revoke(t, "mine") }}
	_, err := Store(held).UpdateConfiguration(ctx, w.ownConfig.ID, agree)
	wantCode(t, err, conf.Unauthenticated)
	got, err := w.rig.store.Configuration(t.Context(), w.ownConfig.ID)
	if wantCode(t, err, ""); got.Version != 1 {
		t.Errorf("version %d was made", got.Version)
	}
}

type revoking struct {
	conf.Store
	before func()
}

func (r revoking) UpdateConfiguration(ctx context.Context, id string, edit conf.Edit[conf.Configuration]) (conf.Configuration, error) {
	r.before()
	return r.Store.UpdateConfiguration(ctx, id, edit)
}

// A call that is added to the store later and forgotten here would be open.
func TestCallOfNobodyReachesTheStore(t *testing.T) {
	s := reflect.ValueOf(Store(nil)) // to reach it would panic
	calls := reflect.TypeFor[conf.Store]()
	for i := range calls.NumMethod() {
		name := calls.Method(i).Name
		if name == "Stats" {
			continue
		}
		method := s.MethodByName(name)
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for n := 1; n < method.Type().NumIn(); n++ {
			args = append(args, reflect.Zero(method.Type().In(n)))
		}
		results := method.Call(args)
		err, _ := results[len(results)-1].Interface().(error)
		if conf.CodeOf(err) != conf.Unauthenticated {
			t.Errorf("%s without a principal: %v", name, err)
		}
	}
}
