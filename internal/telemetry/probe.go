package telemetry

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Probe is a group of figures that are asked for when somebody looks.
type Probe struct {
	Name    string // for kizuna_probe_failures_total
	Metrics []Metric
	// Read returns the values of the metrics, by name and label value ("" for a metric without label).
	Read func(ctx context.Context) (map[string]map[string]float64, error)
}

// Metric describes one figure of a probe.
type Metric struct {
	Name, Help string
	Label      string // name of the label, if there is one value for each of several things
	Total      bool   // it only grows while the process lives
}

// One is the values of a metric without label.
func One(v float64) map[string]float64 { return map[string]float64{"": v} }

// prober is the collector that asks the probes.
type prober struct {
	probes   []Probe
	descs    map[string]*prometheus.Desc
	failures *prometheus.CounterVec
}

func newProber(probes []Probe) *prober {
	p := &prober{probes: probes, descs: map[string]*prometheus.Desc{}, failures: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kizuna_probe_failures_total", Help: "Looks at the metrics in which a part of the process did not tell its figures.",
	}, []string{"probe"})}
	for _, pr := range probes {
		p.failures.WithLabelValues(pr.Name)
		for _, m := range pr.Metrics {
			var labels []string
			if m.Label != "" {
				labels = []string{m.Label}
			}
			p.descs[m.Name] = prometheus.NewDesc(m.Name, m.Help, labels, nil)
		}
	}
	return p
}

// Describe implements prometheus.Collector.
func (p *prober) Describe(to chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		to <- d
	}
	p.failures.Describe(to)
}

// Collect asks all probes at the same time.
func (p *prober) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), probePatience)
	defer cancel()
	var all sync.WaitGroup
	for _, pr := range p.probes {
		all.Go(func() {
			values, err := pr.Read(ctx)
			if err != nil {
				p.failures.WithLabelValues(pr.Name).Inc()
				return
			}
			for _, m := range pr.Metrics {
				kind := prometheus.GaugeValue
				if m.Total {
					kind = prometheus.CounterValue
				}
				for label, v := range values[m.Name] {
					var labels []string
					if m.Label != "" {
						labels = []string{label}
					}
					to <- prometheus.MustNewConstMetric(p.descs[m.Name], kind, v, labels...)
				}
			}
		})
	}
	all.Wait()
	p.failures.Collect(to)
}
