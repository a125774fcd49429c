package function

import (
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"

	"github.com/prometheus/client_golang/prometheus"
)

// processGauges tell of the process itself. The registry has no go_* series, since the worker joins all functions' texts (contract §3.2).
func processGauges() []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rowvec_goroutines", Help: "Goroutines of the process.",
		}, func() float64 { return float64(runtime.NumGoroutine()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rowvec_memory_bytes", Help: "Memory that the Go runtime holds of the system, in bytes.",
		}, held),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "rowvec_memory_limit_bytes", Help: "What the process is to stay under: GOMEMLIMIT, else what the settings amount to.",
		}, func() float64 { return float64(debug.SetMemoryLimit(-1)) }),
	}
}

// held is what the runtime has taken from the system and not given back. Unlike runtime.ReadMemStats this stops nothing.
func held() float64 {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtimemetrics.Read(samples)
	return float64(samples[0].Value.Uint64()) - float64(samples[1].Value.Uint64())
}
