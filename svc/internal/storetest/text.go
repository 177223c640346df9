package storetest

import (
	"testing"

	"configservice/svc/internal/conf"
)

// Engines differ in what they take for text, so callers must not see what they
// make of U+0000 and of bytes that are not UTF-8.
func testNoText(t *testing.T, s *suite) {
	ctx, one := t.Context(), conf.Window{Limit: 1}
	a := s.application(t, "shop")
	_, err := s.CreateConfiguration(ctx, conf.Configuration{ApplicationID: a.ID, Name: "main", Config: []byte("{\"a\":\"\xff\"}")})
	wantFields(t, err, "/config")
	for _, text := range []string{"\x00", "shop\x00", "\xff", "sh\xc3"} {
		_, err := s.ConfigurationByName(ctx, text, "main")
		wantCode(t, err, conf.NotFound)
		_, err = s.ConfigurationByNameAt(ctx, "shop", text, conf.Point{Revision: 1})
		wantCode(t, err, conf.NotFound)
		_, err = s.Application(ctx, text)
		wantCode(t, err, conf.NotFound)
		_, err = s.DeleteConfiguration(ctx, text, agree)
		wantCode(t, err, conf.NotFound)
		apps, err := s.Applications(ctx, conf.ApplicationQuery{Window: one, Name: text})
		wantCode(t, err, "")
		wantEqual(t, apps, conf.NewPage[conf.Application](nil, 0, one))
		audit, err := s.Audit(ctx, conf.AuditQuery{Window: one, ChangedBy: text})
		wantCode(t, err, "")
		wantEqual(t, audit, conf.NewPage[conf.AuditEntry](nil, 0, one))
	}
}
