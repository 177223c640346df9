package supervise

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
)

const (
	longestLine = 64 << 10 // a longer one is cut into several
	tailLines   = 15       // how many last lines a failure is shown with
)

// source is where one program writes: it makes whole lines of it, for the stream
// with the program's name before them, for the log file as they are.
type source struct {
	stream *Stream
	label  string
	log    io.Writer

	mu   sync.Mutex
	part []byte // the beginning of a line whose end is still to come
	tail []string
}

// Write never fails: a program must not die because its output cannot be shown.
func (s *source) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part = append(s.part, text...)
	for {
		end := bytes.IndexByte(s.part, '\n')
		if end < 0 && len(s.part) < longestLine {
			break
		}
		if end < 0 || end > longestLine {
			end = longestLine
			s.line(s.part[:end])
			s.part = s.part[end:]
			continue
		}
		s.line(s.part[:end])
		s.part = s.part[end+1:]
	}
	return len(text), nil
}

// flush ends a last line without an end, when its program has ended.
func (s *source) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.part) > 0 {
		s.line(s.part)
		s.part = nil
	}
}

func (s *source) line(text []byte) {
	text = bytes.TrimSuffix(text, []byte("\r"))
	s.stream.print(slices.Concat([]byte(s.label), text, []byte("\n")))
	_, _ = s.log.Write(slices.Concat(text, []byte("\n"))) // the log says itself when it cannot
	s.tail = append(s.tail, string(text))
	if len(s.tail) > tailLines {
		s.tail = s.tail[1:]
	}
}

// lastLines returns the last lines written, each indented, for people.
func (s *source) lastLines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tail) == 0 {
		return "  (it wrote nothing)"
	}
	return "  " + strings.Join(s.tail, "\n  ")
}
