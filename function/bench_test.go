package function

import (
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rowvec/rowvec/function/instance"
)

// BenchmarkHandle takes changes of new rows from their message to their settlement, on fakes, without and with events.
func BenchmarkHandle(b *testing.B) {
	for name, e := range map[string]*events{"silent": nil, "telling": {to: &nowhere{}, function: "public/default/shop"}} {
		b.Run(name, func(b *testing.B) {
			app := newBench(b)
			app.events = e
			var settled sync.WaitGroup
			settled.Add(b.N)
			for n := range b.N {
				d := &instance.Delivery{
					Topic: articlesTopic, Key: base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":%d}`, n)),
					Payload: fmt.Appendf(nil, created, n, "articles"), ID: "123456:789:-1:4", Received: time.Now(),
				}
				app.Handle(b.Context(), d.OnSettle(func(instance.Settlement) { settled.Done() }))
			}
			settled.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
