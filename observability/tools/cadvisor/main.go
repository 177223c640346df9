// Program cadvisor serves the resource use of containers and cgroups as Prometheus metrics. It is
// Google's cAdvisor library behind the command line of Google's cAdvisor, without its web pages,
// its JSON API and the runtimes other than Docker.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/cache/memory"
	"github.com/google/cadvisor/container"
	"github.com/google/cadvisor/container/docker"
	"github.com/google/cadvisor/info/v2"
	"github.com/google/cadvisor/manager"
	"github.com/google/cadvisor/metrics"
	"github.com/google/cadvisor/utils/sysfs"
	"github.com/google/cadvisor/version"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code: 0 after a signal, 2 for a command line it cannot use, 1 for the rest.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2 // the flag package has told it
	case o.version:
		fmt.Fprintf(stdout, "cAdvisor version %s (library)\n", version.Version)
		return 0
	}
	if err := serve(ctx, o, stdout); err != nil {
		fmt.Fprintf(stderr, "cadvisor: %v\n", err)
		return 1
	}
	return 0
}

// wanted is what is collected when the command line does not say: what the dashboards draw. Of the
// rest, `disk` walks whole file systems and is by far the costliest, `percpu` multiplies series by
// cores, `oom_event` stays 0 under cgroups, and so does `pressure` under version 1 of them.
var wanted = container.MetricSet{
	container.CpuUsageMetrics:     {},
	container.MemoryUsageMetrics:  {},
	container.NetworkUsageMetrics: {},
	container.DiskIOMetrics:       {},
}

type options struct {
	listenIP        string
	port            int
	version         bool
	storeLabels     bool
	allowedLabels   string
	allowedEnv      string
	cgroupPrefixes  string
	endpoint        string
	storage         time.Duration
	enable, disable container.MetricSet
}

// parse reads the flags that upstream's command defines, under upstream's names. The library
// defines its own (docker_only, housekeeping_interval, …) on flag.CommandLine; they join in.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{disable: container.AllMetrics.Difference(wanted)}
	fs := flag.NewFlagSet("cadvisor", flag.ContinueOnError)
	fs.SetOutput(stderr)
	flag.VisitAll(func(f *flag.Flag) { fs.Var(f.Value, f.Name, f.Usage) })
	klog.InitFlags(fs)
	fs.StringVar(&o.listenIP, "listen_ip", "", "IP to listen on; empty is all")
	fs.IntVar(&o.port, "port", 8080, "port to listen on")
	fs.BoolVar(&o.version, "version", false, "print the version and exit")
	fs.StringVar(&o.endpoint, "prometheus_endpoint", "/metrics", "path that serves the metrics")
	fs.DurationVar(&o.storage, "storage_duration", 2*time.Minute, "how long to keep samples in memory")
	fs.BoolVar(&o.storeLabels, "store_container_labels", true, "turn every label and environment variable of a container into a label of its metrics")
	fs.StringVar(&o.allowedLabels, "whitelisted_container_labels", "", "comma-separated container labels to keep when store_container_labels is false")
	fs.StringVar(&o.allowedEnv, "env_metadata_whitelist", "", "comma-separated prefixes of environment variables to read from containers")
	fs.StringVar(&o.cgroupPrefixes, "raw_cgroup_prefix_whitelist", "", "comma-separated prefixes of cgroup paths to report even with docker_only")
	fs.Var(&o.enable, "enable_metrics", "comma-separated kinds to collect; overrides disable_metrics. Kinds: "+container.AllMetrics.String())
	fs.Var(&o.disable, "disable_metrics", "comma-separated kinds not to collect")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		err := fmt.Errorf("cadvisor: unexpected argument %q; every option is a flag, see -help", fs.Arg(0))
		fmt.Fprintln(stderr, err)
		return o, err
	}
	return o, nil
}

func (o options) kinds() container.MetricSet {
	if len(o.enable) > 0 {
		return o.enable
	}
	return container.AllMetrics.Difference(o.disable)
}

func (o options) labels() metrics.ContainerLabelsFunc {
	if o.storeLabels {
		return metrics.DefaultContainerLabels
	}
	return metrics.BaseContainerLabels(strings.Split(o.allowedLabels, ","))
}

// serve collects and answers until ctx is done. It takes the port first, so that a taken one is
// told at once; requests that come before the first collection wait in the listener's queue.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	ln, err := net.Listen("tcp", net.JoinHostPort(o.listenIP, strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("%w (see -listen_ip and -port)", err)
	}
	defer ln.Close()
	if err := joinDocker(*docker.ArgDockerEndpoint); err != nil {
		fmt.Fprintf(stdout, "cadvisor: no Docker, only cgroups are seen: %v\n", err)
	}
	m, err := manager.New(memory.New(o.storage, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, o.kinds(),
		http.DefaultClient, strings.Split(o.cgroupPrefixes, ","), strings.Split(o.allowedEnv, ","), "", 0)
	if err != nil {
		return fmt.Errorf("reading the machine: %w", err)
	}
	if err := m.Start(); err != nil {
		return fmt.Errorf("watching cgroups: %w", err)
	}
	fmt.Fprintf(stdout, "cadvisor %s listens on %s and collects %s\n", version.Version, ln.Addr(), o.kinds())
	srv := &http.Server{Handler: handler(o, m), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return errors.Join(srv.Shutdown(deadline), m.Stop())
}

// joinDocker has the library ask Docker for the names of its containers. It knocks first: the
// library tries for 5 s before it believes that there is no Docker.
func joinDocker(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	conn, err := net.DialTimeout(u.Scheme, u.Host+u.Path, time.Second)
	if err != nil {
		return err
	}
	conn.Close()
	return container.RegisterPlugin("docker", docker.NewPlugin())
}

// handler answers health probes, and scrapes with the newest sample of every container. As
// upstream's, it takes max_age: a container whose sample is older is read anew before the answer.
func handler(o options, m manager.Manager) http.Handler {
	kinds, labels := o.kinds(), o.labels()
	machine := metrics.NewPrometheusMachineCollector(m, kinds)
	runtime := collectors.NewGoCollector()
	process := collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc(o.endpoint, func(w http.ResponseWriter, r *http.Request) {
		query := v2.RequestOptions{IdType: v2.TypeName, Count: 1, Recursive: true}
		if s := r.URL.Query().Get("max_age"); s != "" {
			age, err := time.ParseDuration(s)
			if err != nil {
				http.Error(w, fmt.Sprintf("max_age: %v", err), http.StatusBadRequest)
				return
			}
			query.MaxAge = &age
		}
		// A registry per scrape, because the query is the collector's.
		reg := prometheus.NewRegistry()
		reg.MustRegister(metrics.NewPrometheusCollector(m, labels, kinds, clock.RealClock{}, query), machine, runtime, process)
		promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}).ServeHTTP(w, r)
	})
	return mux
}
