package dockertest

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// .env.example tells each variable of docker-compose.yml with its default, and no
// other; only the passwords have none.
func TestSettingsAreToldWithTheirDefaults(t *testing.T) {
	wanted := map[string]string{}
	for _, m := range regexp.MustCompile(`\$\{(\w+)(:-|:\?)([^}]*)\}`).FindAllStringSubmatch(read(t, "../docker-compose.yml"), -1) {
		name, value := m[1], m[3]
		if m[2] == ":?" {
			value = ""
		}
		if other, ok := wanted[name]; ok && other != value {
			t.Errorf("%s has the defaults %q and %q", name, other, value)
		}
		wanted[name] = value
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`).FindAllStringSubmatch(read(t, "../.env.example"), -1) {
		told[m[1]] = m[2]
	}
	if diff := cmp.Diff(wanted, told); diff != "" {
		t.Errorf("docker-compose.yml (-) and .env.example (+) differ:\n%s", diff)
	}
}

func TestImagesArePinnedByVersion(t *testing.T) {
	images := regexp.MustCompile(`image: \$\{\w+:-([^}]+)\}`).FindAllStringSubmatch(read(t, "../docker-compose.yml"), -1)
	if len(images) < 7 {
		t.Fatalf("only %d images were found", len(images))
	}
	for _, m := range images {
		_, tag, _ := strings.Cut(m[1], ":")
		if !regexp.MustCompile(`^v?\d+\.\d+`).MatchString(tag) && !strings.HasSuffix(m[1], ":dev") { // ours
			t.Errorf("%s is not pinned", m[1])
		}
	}
}

// The stand-ins are built under the names that the compose file and the
// Dockerfile ask for.
func TestTheBuilderOfTheStandInsIsTheDockerfiles(t *testing.T) {
	image := regexp.MustCompile(`ARG GO_IMAGE=(\S+)`).FindStringSubmatch(read(t, "../../svc/Dockerfile"))[1]
	if !strings.Contains(read(t, "../loadtest/Dockerfile"), "ARG GO_IMAGE="+image+"\n") {
		t.Errorf("loadtest/Dockerfile does not build with %s", image)
	}
	if !strings.Contains(read(t, "standins/compose.yml"), "image: "+image+"\n") {
		t.Errorf("standins/compose.yml has no image %s", image)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "../../go.mod"))[1]
	if tag := strings.TrimPrefix(image, "golang:"); !strings.HasPrefix(tag, version[:strings.LastIndexByte(version, '.')]) {
		t.Errorf("go.mod wants Go %s, the Dockerfile builds with %s", version, image)
	}
}

// Targets in Docker name services of the compose file.
func TestTargetsAreServices(t *testing.T) {
	compose := read(t, "../docker-compose.yml")
	targets := map[string]bool{}
	for _, dir := range []string{"docker", "replicas"} {
		entries, err := os.ReadDir("../targets/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			for _, m := range regexp.MustCompile(`'([a-z0-9-]+):\d+'`).FindAllStringSubmatch(read(t, "../targets/"+dir+"/"+e.Name()), -1) {
				targets[m[1]] = true
			}
		}
	}
	if len(targets) == 0 {
		t.Fatal("no targets were found")
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		if !strings.Contains(compose, fmt.Sprintf("\n  %s:\n", name)) {
			t.Errorf("%s is a target and no service", name)
		}
	}
}
