package supervise

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Stream merges the output of many programs into one readable stream of whole
// lines, each beginning with the name of the program that wrote it.
//
// A reader that stands still (a paused terminal, a stuck pipe) must not make the
// programs stand still: after patience the lines go to the log files alone, and
// the stream says how many were left out once it moves again.
type Stream struct {
	queue    chan []byte
	quit     chan struct{}
	done     chan struct{}
	dropped  atomic.Int64
	patience time.Duration
	width    int
	colour   bool
}

// NewStream writes to w. The names are those of the sources to come: they are
// padded to the longest. Close it to be sure that all is written.
func NewStream(w io.Writer, colour bool, names ...string) *Stream {
	s := &Stream{
		queue:    make(chan []byte, 1024),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
		patience: time.Second,
		colour:   colour,
	}
	for _, name := range names {
		s.width = max(s.width, len(name))
	}
	go s.pump(w)
	return s
}

// Close returns when everything printed so far is written, or when w has stood
// still for patience.
func (s *Stream) Close() {
	close(s.quit)
	select {
	case <-s.done:
	case <-time.After(s.patience):
	}
}

// Print writes text as it stands, in one piece.
func (s *Stream) Print(text string) { s.print([]byte(text)) }

func (s *Stream) print(block []byte) {
	select {
	case s.queue <- block:
		return
	default:
	}
	if s.dropped.Load() == 0 { // wait once, not for every line of a stuck reader
		select {
		case s.queue <- block:
			return
		case <-time.After(s.patience):
		}
	}
	s.dropped.Add(1)
}

func (s *Stream) pump(w io.Writer) {
	defer close(s.done)
	for {
		select {
		case block := <-s.queue:
			s.write(w, block)
		case <-s.quit:
			s.drain(w)
			return
		}
	}
}

func (s *Stream) drain(w io.Writer) {
	for {
		select {
		case block := <-s.queue:
			s.write(w, block)
		default:
			return
		}
	}
}

// write cannot report an error to anybody: w is where errors are reported. The
// log files still have the line.
func (s *Stream) write(w io.Writer, block []byte) {
	_, _ = w.Write(block)
	if n := s.dropped.Swap(0); n > 0 {
		fmt.Fprintf(w, "... %d lines not shown: nobody was reading; the log files have them\n", n)
	}
}

// label is the beginning of each line of the named source. The colour is chosen
// by index, so that neighbours in the table differ.
func (s *Stream) label(name string, index int) string {
	text := fmt.Sprintf("%-*s |", s.width, name)
	if !s.colour {
		return text + " "
	}
	colours := []int{36, 33, 32, 35, 34, 96, 93, 92, 95, 94}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m ", colours[index%len(colours)], text)
}
