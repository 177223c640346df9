package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"

	"configservice/observability/loadtest/report"
	"configservice/observability/loadtest/target"
	"configservice/observability/loadtest/verify"
)

// verifyRun judges a run that was kept anew, with what Prometheus tells of its
// time now.
func verifyRun(ctx context.Context, call invocation) (int, error) {
	r, err := report.Read(call.args[0])
	if err != nil {
		return 0, err
	}
	base, err := url.Parse(r.Target)
	if err != nil {
		return 0, err
	}
	observer, err := verify.NewObserver(target.NewClient(base, call.token, call.connections, 0), call.observed())
	if err != nil {
		return 0, err
	}
	if r.Evidence, err = observer.Again(ctx, r.Evidence); err != nil {
		return 0, err
	}
	r.Claims = verify.Judge(r.Evidence, call.claimIDs())
	tell(call.stdout, r)
	return exitCode(r), nil
}

// reportRun writes the report of a run that was kept anew.
func reportRun(_ context.Context, call invocation) (int, error) {
	r, err := report.Read(call.args[0])
	if err != nil {
		return 0, err
	}
	r.ID = filepath.Base(filepath.Clean(call.args[0]))
	path, err := r.Write(filepath.Dir(filepath.Clean(call.args[0])))
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(call.stdout, "report: %s\n", path)
	return exitTrue, nil
}

// compareRuns tells whether the second run differs from the first by more than
// noise; where it is worse, the exit code is that of a missed threshold.
func compareRuns(_ context.Context, call invocation) (int, error) {
	before, err := report.Read(call.args[0])
	if err != nil {
		return 0, err
	}
	after, err := report.Read(call.args[1])
	if err != nil {
		return 0, err
	}
	c := report.Compare(before, after)
	if c.Refused != "" {
		return 0, errors.New(c.Refused)
	}
	if c.Tell(call.stdout) {
		return exitThreshold, nil
	}
	return exitTrue, nil
}
