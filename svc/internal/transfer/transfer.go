// Package transfer writes the resources of a store as JSON Lines
// (https://jsonlines.org) and brings such lines into a store, all of them or
// none. Resources go by their names, so that the lines fit any store; ids,
// versions and history stay behind.
package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"configservice/svc/internal/conf"
)

// A Store is a [conf.Store] that can be seen, and changed, as a whole.
type Store interface {
	// Snapshot runs fn on the store as it is at one moment.
	Snapshot(ctx context.Context, fn func(conf.Store) error) error
	// Atomically keeps all that fn changes, or, when it returns an error,
	// nothing. It may run fn more than once.
	Atomically(ctx context.Context, fn func(conf.Store) error) error
}

// A line is one resource. Its kind is application or configuration.
type line struct {
	Kind        string          `json:"kind"`
	Application string          `json:"application,omitempty"` // the name of a configuration's owner
	Name        string          `json:"name"`
	Comments    *string         `json:"comments"`
	Config      json.RawMessage `json:"config,omitempty"`
}

const (
	kindApplication   = "application"
	kindConfiguration = "configuration"
)

// Export writes every application, each followed by its configurations, as
// they are at one moment.
func Export(ctx context.Context, s Store, w io.Writer) error {
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err := s.Snapshot(ctx, func(s conf.Store) error {
		return eachApplication(ctx, s, func(a conf.Application) error {
			if err := enc.Encode(line{Kind: kindApplication, Name: a.Name, Comments: a.Comments}); err != nil {
				return err
			}
			return eachConfiguration(ctx, s, a.ID, func(c conf.Configuration) error {
				return enc.Encode(line{kindConfiguration, a.Name, c.Name, c.Comments, c.Config})
			})
		})
	})
	return errors.Join(err, out.Flush())
}

func eachApplication(ctx context.Context, s conf.Store, do func(conf.Application) error) error {
	return each(func(w conf.Window) (conf.Page[conf.Application], error) {
		return s.Applications(ctx, conf.ApplicationQuery{Window: w})
	}, do)
}

func eachConfiguration(ctx context.Context, s conf.Store, applicationID string, do func(conf.Configuration) error) error {
	return each(func(w conf.Window) (conf.Page[conf.Configuration], error) {
		return s.Configurations(ctx, conf.ConfigurationQuery{Window: w, ApplicationID: applicationID})
	}, do)
}

// each does something with every item of a list that comes in pages.
func each[T any](list func(conf.Window) (conf.Page[T], error), do func(T) error) error {
	for w := (conf.Window{Limit: conf.MaxLimit}); ; w.Offset += w.Limit {
		page, err := list(w)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := do(item); err != nil {
				return err
			}
		}
		if !page.HasMore {
			return nil
		}
	}
}

// Import creates what the lines of r have and the store lacks, and updates what
// differs; nothing is deleted. It writes what it does to report: a line with +
// for each creation, with ~ for each update, followed by what it was and will
// be. With dryRun it reports the same and changes nothing. An error names the
// line at fault, and then nothing has changed either.
func Import(ctx context.Context, s Store, r io.Reader, dryRun bool, report io.Writer) error {
	lines, err := readLines(r)
	if err != nil {
		return err
	}
	var told bytes.Buffer
	err = s.Atomically(ctx, func(s conf.Store) error {
		told.Reset()
		if err := importLines(ctx, s, lines, &told); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	_, err = told.WriteTo(report)
	return err
}

var errDryRun = conf.Errorf(conf.PreconditionFailed, "this was a dry run")

// maxLine bounds a line: a body of the API fits many times.
const maxLine = 64 << 20

func readLines(r io.Reader) (lines []line, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	for n := 1; in.Scan(); n++ {
		var l line
		d := json.NewDecoder(bytes.NewReader(in.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, fmt.Errorf("line %d: something follows its object", n)
		}
		if l.Kind != kindApplication && l.Kind != kindConfiguration {
			return nil, fmt.Errorf("line %d: its kind is %q, not %s or %s", n, l.Kind, kindApplication, kindConfiguration)
		}
		var config bytes.Buffer
		if json.Compact(&config, l.Config) == nil {
			l.Config = config.Bytes()
		}
		lines = append(lines, l)
	}
	return lines, in.Err()
}

func importLines(ctx context.Context, s conf.Store, lines []line, report io.Writer) error {
	im := importer{ctx, s, report, map[string]string{}, 0}
	for i, l := range lines {
		bring := im.application
		if l.Kind == kindConfiguration {
			bring = im.configuration
		}
		if err := bring(l); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	im.tell("= %d of %d lines are in the store already", im.unchanged, len(lines))
	return nil
}

// An importer brings lines into a store and tells what it does.
type importer struct {
	ctx       context.Context
	store     conf.Store
	report    io.Writer
	ids       map[string]string // of applications, by name
	unchanged int
}

func (im *importer) tell(format string, args ...any) {
	fmt.Fprintf(im.report, format+"\n", args...) // into memory
}

func (im *importer) application(l line) error {
	old, found, err := im.find(l.Name)
	switch {
	case err != nil:
		return err
	case !found:
		a, err := im.store.CreateApplication(im.ctx, conf.Application{Name: l.Name, Comments: l.Comments})
		im.ids[l.Name] = a.ID
		im.tell("+ application %q", l.Name)
		return err
	case equal(old.Comments, l.Comments):
		im.unchanged++
		return nil
	}
	_, err = im.store.UpdateApplication(im.ctx, old.ID, func(a *conf.Application) error {
		a.Comments = l.Comments
		return nil
	})
	im.tell("~ application %q", l.Name)
	im.tell("  - %s\n  + %s", text(line{Comments: old.Comments}), text(line{Comments: l.Comments}))
	return err
}

// find returns the application of that name.
func (im *importer) find(name string) (a conf.Application, found bool, err error) {
	page, err := im.store.Applications(im.ctx, conf.ApplicationQuery{Window: conf.Window{Limit: 1}, Name: name})
	if err != nil || len(page.Items) == 0 || name == "" {
		return a, false, err
	}
	im.ids[name] = page.Items[0].ID
	return page.Items[0], true, nil
}

func (im *importer) configuration(l line) error {
	if _, known := im.ids[l.Application]; !known {
		_, found, err := im.find(l.Application)
		if err != nil {
			return err
		}
		if !found {
			return conf.Errorf(conf.UnknownApplication, "no application is named %q, neither in the store nor in a line before", l.Application)
		}
	}
	old, err := im.store.ConfigurationByName(im.ctx, l.Application, l.Name)
	switch {
	case conf.CodeOf(err) == conf.NotFound:
		return im.createConfiguration(l)
	case err != nil:
		return err
	case equal(old.Comments, l.Comments) && sameJSON(old.Config, l.Config):
		im.unchanged++
		return nil
	}
	_, err = im.store.UpdateConfiguration(im.ctx, old.ID, func(c *conf.Configuration) error {
		c.Comments, c.Config = l.Comments, l.Config
		return nil
	})
	im.tell("~ configuration %q of application %q", l.Name, l.Application)
	im.tell("  - %s\n  + %s", text(line{Comments: old.Comments, Config: old.Config}), text(line{Comments: l.Comments, Config: l.Config}))
	return err
}

func (im *importer) createConfiguration(l line) error {
	_, err := im.store.CreateConfiguration(im.ctx, conf.Configuration{
		ApplicationID: im.ids[l.Application], Name: l.Name, Comments: l.Comments, Config: l.Config})
	im.tell("+ configuration %q of application %q", l.Name, l.Application)
	return err
}

// text shows what of a resource an update may change.
func text(l line) string {
	comments, _ := json.Marshal(l.Comments) // a string always can be
	if l.Config == nil {
		return fmt.Sprintf(`{"comments":%s}`, comments)
	}
	return fmt.Sprintf(`{"comments":%s,"config":%s}`, comments, l.Config)
}

func equal(a, b *string) bool { return reflect.DeepEqual(a, b) }

// sameJSON reports whether two texts say the same, but for the order of names
// and white space; numbers are the same when their texts are.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return decode(a, &x) == nil && decode(b, &y) == nil && reflect.DeepEqual(x, y)
}

func decode(text json.RawMessage, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}
