package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	cli "configservice/internal/options"
	"configservice/svc/internal/conf"
	"configservice/svc/internal/sqlstore"
	"configservice/svc/internal/transfer"
)

// transferOptions are those of the sub-commands export, import, backup and
// restore.
type transferOptions struct {
	command     string
	databaseURL string
	file        string
	dryRun      bool
	timeout     time.Duration
}

// transferCommands are the sub-commands that move whole stores.
var transferCommands = []string{"export", "import", "backup", "restore"}

func (o *transferOptions) set() *cli.Set {
	s := cli.NewSet("config-service "+o.command, envPrefix)
	s.StringVar(&o.databaseURL, "database-url", defaultDatabaseURL, "`URL` of the store, as of the service")
	s.DurationVar(&o.timeout, "timeout", time.Hour, "longest `time` for all of it; an import keeps other writers waiting")
	if o.command == "import" {
		s.BoolVar(&o.dryRun, "dry-run", false, "tell what would change, and change nothing")
	}
	return s
}

// runTransfer is the program when its first argument is one of
// transferCommands: it returns the exit code.
func runTransfer(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o := transferOptions{command: args[0]}
	if err := o.parse(args[1:], getenv); err != nil {
		return refused(err, "config-service "+o.command, o.help, stdout, stderr)
	}
	return ended(o.run(ctx, stdout), stderr)
}

func (o *transferOptions) help() string { return transferHelp + o.set().Help() }

func (o *transferOptions) parse(args []string, getenv func(string) string) error {
	rest, err := o.set().Parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	faults := []error{err}
	if len(rest) > 0 && o.command != "export" {
		o.file, rest = rest[0], rest[1:]
	}
	for _, arg := range rest {
		faults = append(faults, fmt.Errorf("unexpected argument %q", arg))
	}
	if o.file == "" && o.command != "export" {
		faults = append(faults, fmt.Errorf("%s needs a FILE", o.command))
	}
	if _, err := sqlstore.ParseURL(o.databaseURL); err != nil {
		faults = append(faults, fmt.Errorf("--database-url: %w", err))
	}
	if o.timeout <= 0 {
		faults = append(faults, fmt.Errorf("--timeout is %s; it must be positive", o.timeout))
	}
	return errors.Join(faults...)
}

func (o *transferOptions) run(ctx context.Context, stdout io.Writer) error {
	ctx = conf.WithActor(ctx, conf.Actor{Name: "config-service " + o.command})
	switch o.command {
	case "backup":
		return sqlstore.Backup(ctx, o.databaseURL, o.file)
	case "restore":
		revision, err := sqlstore.Restore(ctx, o.databaseURL, o.file, o.storeOptions())
		if err == nil {
			fmt.Fprintf(stdout, "restored; revisions go on after %d\n", revision)
		}
		return err
	case "import":
		return o.bring(ctx, stdout)
	}
	return o.withStore(ctx, func(s *sqlstore.Store) error { return transfer.Export(ctx, s, stdout) })
}

func (o *transferOptions) bring(ctx context.Context, stdout io.Writer) error {
	file, err := os.Open(o.file)
	if err != nil {
		return err
	}
	defer file.Close()
	return o.withStore(ctx, func(s *sqlstore.Store) error {
		if err := transfer.Import(ctx, s, file, o.dryRun, stdout); err != nil {
			return fmt.Errorf("%s: %w; nothing was imported", o.file, err)
		}
		return nil
	})
}

func (o *transferOptions) withStore(ctx context.Context, use func(*sqlstore.Store) error) error {
	s, err := sqlstore.Open(ctx, o.databaseURL, o.storeOptions())
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}

func (o *transferOptions) storeOptions() sqlstore.Options {
	return sqlstore.Options{Timeout: o.timeout}
}

const transferHelp = `config-service moves whole stores, also while services use them.

usage: config-service export [OPTION...] > FILE
       config-service import [OPTION...] FILE
       config-service backup [OPTION...] FILE
       config-service restore [OPTION...] FILE

  export     write all applications and configurations as JSON Lines
  import     create what FILE has and the store lacks, update what differs,
             delete nothing: all of it, or nothing when a line is at fault
  backup     copy an SQLite store with its history to a new FILE
  restore    replace all of an SQLite store but its tokens with a backup;
             revisions go on from the highest, and every watcher has to resync

options, each with its environment variable, which the flag overrides:
`
