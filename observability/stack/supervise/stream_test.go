package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"configservice/internal/testwait"
)

// collect returns what a stream of the given programs has written when all is
// said.
func collect(t *testing.T, colour bool, names []string, write func(sources []*source)) string {
	t.Helper()
	var out bytes.Buffer
	stream := NewStream(&out, colour, names...)
	var sources []*source
	for i, name := range names {
		sources = append(sources, &source{stream: stream, label: stream.label(name, i), log: io.Discard})
	}
	write(sources)
	stream.Close()
	select {
	case <-stream.done:
	case <-time.After(testwait.Patience):
		t.Fatal("the stream has not ended")
	}
	return out.String()
}

func TestOutputStaysInWholeLinesWhenAllWriteAtOnce(t *testing.T) {
	const lines = 500
	names := []string{"a", "bb", "a-much-longer-name", "c"}
	got := collect(t, false, names, func(sources []*source) {
		var all sync.WaitGroup
		for i, s := range sources {
			all.Go(func() { writeInPieces(s, names[i], lines) })
		}
		all.Wait()
	})
	next := map[string]int{}
	line := regexp.MustCompile(`^(\S+) +\| (\S+) line (\d+)$`)
	for text := range strings.Lines(got) {
		match := line.FindStringSubmatch(strings.TrimSuffix(text, "\n"))
		if match == nil || match[1] != match[2] || match[3] != fmt.Sprint(next[match[1]]) {
			t.Fatalf("torn, mislabelled or out of order: %q", text)
		}
		next[match[1]]++
	}
	for _, name := range names {
		if next[name] != lines {
			t.Errorf("%s: %d lines, want %d", name, next[name], lines)
		}
	}
}

// writeInPieces cuts the text without regard for lines, as a pipe does.
func writeInPieces(w io.Writer, name string, lines int) {
	var text bytes.Buffer
	for i := range lines {
		fmt.Fprintf(&text, "%s line %d\n", name, i)
	}
	for text.Len() > 0 {
		_, _ = w.Write(text.Next(1 + rand.IntN(40)))
	}
}

func TestLinesAreLabelledAlignedAndColouredOnlyWhenAsked(t *testing.T) {
	write := func(sources []*source) {
		_, _ = sources[0].Write([]byte("one\r\n\nthree"))
		sources[0].flush()
		sources[0].flush()
		_, _ = sources[1].Write([]byte("four\n"))
	}
	plain := "ab    | one\nab    | \nab    | three\nlonger | four\n"
	plain = strings.ReplaceAll(plain, "ab    |", "ab     |")
	if diff := cmp.Diff(plain, collect(t, false, []string{"ab", "longer"}, write)); diff != "" {
		t.Errorf("plain (-want +got):\n%s", diff)
	}
	coloured := collect(t, true, []string{"ab", "longer"}, write)
	if !strings.HasPrefix(coloured, "\x1b[36mab     |\x1b[0m one\n") {
		t.Errorf("coloured: %q", coloured)
	}
	if stripped := regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(coloured, ""); stripped != plain {
		t.Errorf("colours change the text: %q", stripped)
	}
}

func TestALineWithoutEndIsCutInsteadOfFillingMemory(t *testing.T) {
	got := collect(t, false, []string{"a"}, func(sources []*source) {
		endless := bytes.Repeat([]byte("x"), 3*longestLine)
		_, _ = sources[0].Write(endless[:longestLine-1])
		_, _ = sources[0].Write(endless[longestLine-1:])
		_, _ = sources[0].Write([]byte("\n"))
	})
	if lines := strings.Count(got, "\n"); lines < 3 || lines > 4 {
		t.Errorf("%d lines, want the text in 3", lines)
	}
	if x := strings.Count(got, "x"); x != 3*longestLine {
		t.Errorf("%d bytes of the text, want all %d", x, 3*longestLine)
	}
}

// stuck is a terminal that is paused until it is released.
type stuck struct {
	released chan struct{}
	text     bytes.Buffer
}

func (s *stuck) Write(text []byte) (int, error) {
	<-s.released
	return s.text.Write(text)
}

func TestAStuckReaderDoesNotStopTheProgramsAndIsToldWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal := &stuck{released: make(chan struct{})}
		stream := NewStream(terminal, false, "a")
		var log bytes.Buffer
		source := &source{stream: stream, log: &log}
		const lines = 5000
		began := time.Now()
		for i := range lines {
			fmt.Fprintf(source, "line %d\n", i)
		}
		if waited := time.Since(began); waited > 2*time.Second {
			t.Errorf("the program waited %s for its reader", waited)
		}
		if logged := strings.Count(log.String(), "\n"); logged != lines {
			t.Errorf("%d lines in the log file, want all %d", logged, lines)
		}
		close(terminal.released)
		stream.Close()
		shown := strings.Count(terminal.text.String(), "line ")
		missed := fmt.Sprintf("... %d lines not shown", lines-shown)
		if !strings.Contains(terminal.text.String(), missed) {
			t.Errorf("%q is missing after %d lines", missed, shown)
		}
	})
}

func TestCloseDoesNotWaitForAStuckReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		terminal := &stuck{released: make(chan struct{})}
		stream := NewStream(terminal, false, "a")
		stream.Print("text\n")
		began := time.Now()
		stream.Close()
		if waited := time.Since(began); waited > 2*time.Second {
			t.Errorf("Close took %s", waited)
		}
		close(terminal.released)
		<-stream.done
	})
}

func TestLogFilesKeepTheRunBeforeAndStayBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	content := func(path string) string {
		text, _ := os.ReadFile(path)
		return string(text)
	}
	fail := func(err error) { t.Errorf("lost lines: %v", err) }
	for _, run := range []string{"first run\n", "second run\n"} {
		log, err := openLog(path, 100, fail)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = log.Write([]byte(run))
		if err := log.close(); err != nil {
			t.Fatal(err)
		}
	}
	if content(path) != "second run\n" || content(path+".1") != "first run\n" {
		t.Errorf("after two runs: %q and, before, %q", content(path), content(path+".1"))
	}
	log, err := openLog(path, 100, fail)
	if err != nil {
		t.Fatal(err)
	}
	defer log.close()
	for range 100 {
		_, _ = log.Write([]byte("0123456789012345678\n"))
	}
	if now, before := len(content(path)), len(content(path+".1")); now > 100 || before != 100 {
		t.Errorf("%d and %d bytes after 2000 bytes with a limit of 100", now, before)
	}
}

func TestAFullDiskIsToldOnce(t *testing.T) {
	var told []error
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("only Linux has /dev/full: %v", err)
	}
	defer full.Close()
	log := &logFile{limit: 1 << 20, file: full, lost: func(err error) { told = append(told, err) }}
	for range 3 {
		if _, err := log.Write([]byte("x\n")); err == nil {
			t.Error("the write was reported as done")
		}
	}
	if len(told) != 1 || !errors.Is(told[0], errors.Unwrap(told[0])) {
		t.Errorf("told %d times: %v", len(told), told)
	}
}
