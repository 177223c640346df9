package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Load reads every dashboard (*.json) of a directory, in the order of their file names. It is
// an error if there is none, or if a file has a field that this package does not know.
func Load(dir string) ([]Dashboard, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no dashboards (*.json) in %s", dir)
	}
	var boards []Dashboard
	var faults []error
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		board, err := Parse(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", file, err))
		}
		boards = append(boards, board)
	}
	return boards, errors.Join(faults...)
}

// Parse reads the text of one dashboard.
func Parse(text []byte) (Dashboard, error) {
	var board Dashboard
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&board); err != nil {
		return board, err
	}
	if dec.More() {
		return board, errors.New("there is more than one dashboard in it")
	}
	return board, nil
}

// Format returns the text of a dashboard's file: two spaces a level, fields always in the same
// order, so that a change shows as what it is.
func Format(board Dashboard) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(board); err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}
