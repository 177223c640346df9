//go:build linux

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChangeOfSeveralInOneReadIsMissed(t *testing.T) {
	read := "id: 7\nevent: change\ndata: {\"revision\":7}\n\n" +
		"id: 8\nevent: bookmark\ndata: {\"revision\":8}\n\n" +
		"id: 9\nevent: change\ndata: {\"revision\":9}\n\n"
	if diff := cmp.Diff([]int64{7, 9}, changeIDs([]byte(read))); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}
