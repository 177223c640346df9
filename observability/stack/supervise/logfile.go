package supervise

import (
	"errors"
	"io/fs"
	"os"
)

// logFile holds the last output of one program, in path and, when that grew over
// limit or is of an earlier run, path.1: never more than twice limit bytes.
// Not for concurrent use.
type logFile struct {
	path  string
	limit int64
	file  *os.File
	size  int64
	lost  func(error) // told when lines begin to be lost
	bad   bool
}

// openLog starts a new log at path; what was there becomes path.1.
func openLog(path string, limit int64, lost func(error)) (*logFile, error) {
	l := &logFile{path: path, limit: limit, lost: lost}
	return l, l.rotate()
}

// Write keeps each call's text in one file. A disk that is full is reported
// once, and again only after it took text in between.
func (l *logFile) Write(text []byte) (int, error) {
	err := l.write(text)
	if err != nil && !l.bad {
		l.lost(err)
	}
	l.bad = err != nil
	return len(text), err
}

func (l *logFile) write(text []byte) error {
	if l.size+int64(len(text)) > l.limit {
		if err := l.rotate(); err != nil {
			return err
		}
	}
	n, err := l.file.Write(text)
	l.size += int64(n)
	return err
}

func (l *logFile) rotate() error {
	if err := os.Rename(l.path, l.path+".1"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if l.file != nil {
		_ = l.file.Close() // every line is written; there is nothing left to lose
	}
	l.file, l.size = file, 0
	return nil
}

func (l *logFile) close() error { return l.file.Close() }
