//go:build linux || darwin

package main

import (
	"strings"
	"testing"

	"configservice/svc/internal/pgtest"
)

func TestDiskOfTheStoreIsShownForTheWrongEngine(t *testing.T) {
	for url, want := range map[string]int{"sqlite:store.db": 2, pgtest.Database(t): 0} {
		p := start(t, "--database-url="+url)
		_, _, text := p.answer(t, "GET", "/metrics", "")
		shown := strings.Count(text, "\nconfig_store_disk_available_bytes ") + strings.Count(text, "\nconfig_store_disk_capacity_bytes ")
		if shown != want {
			t.Errorf("on %s there are %d series of the disk, want %d", url, shown, want)
		}
	}
}
