//go:build e2e

package chaos

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/e2e/chaos/plant"
	"github.com/rowvec/rowvec/embed"
)

// planter makes changes that can never succeed. Each has a row of its own, which gets no newer change until the letters were read, so that each is tried.
type planter struct {
	world *world
	every time.Duration
	mu    sync.Mutex // held while it plants, and by who wants it to rest
	sown  []plant.Plant
	good  int // good changes that were made on the way
	err   error
}

// run plants until ctx ends.
func (p *planter) run(ctx context.Context) {
	for p.err == nil && rest(ctx, p.every) {
		p.err = p.sow(context.WithoutCancel(ctx)) // what was begun is finished
	}
}

// planted returns what was planted so far.
func (p *planter) planted() []plant.Plant {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sown
}

func (p *planter) sow(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.sown) + 1
	made := plant.Plant{Number: n, Row: strconv.Itoa(firstPlant + n), Stage: "embed", Reason: embed.ReasonBadRequest}
	var body string
	switch n % 4 {
	case 0:
		made.Row, made.Stage, made.Reason = "", "decode", "bad_payload"
		p.sown = append(p.sown, made)
		return until(ctx, patience, func(ctx context.Context) error { return p.world.publish(ctx, "this is not JSON: "+made.Mark()) })
	case 1:
		body = plant.Refused
	case 2:
		made.Reason = embed.ReasonBadVector
		body = plant.Unnumbered
	case 3: // a good row turns bad, in the last of its chunks
		if err := p.put(ctx, firstPlant+n, "This is well said."); err != nil {
			return err
		}
		p.good++
		body = strings.Repeat("This is well said, and said again. ", 20) + plant.Refused
	}
	p.sown = append(p.sown, made)
	return p.put(ctx, firstPlant+n, body+" "+made.Mark())
}

// put gives a row its body.
func (p *planter) put(ctx context.Context, id int, body string) error {
	return until(ctx, patience, func(ctx context.Context) error {
		_, err := p.world.db.Exec(ctx, `INSERT INTO app.chaos (id, title, body) VALUES ($1, 'Planted', $2)
			ON CONFLICT (id) DO UPDATE SET body = excluded.body WHERE chaos.body <> excluded.body`, id, body)
		return err
	})
}

// heal gives half of the rows a good text, and deletes the others.
func (p *planter) heal(ctx context.Context) error {
	if _, err := p.world.db.Exec(ctx, "DELETE FROM app.chaos WHERE id BETWEEN $1 AND $2 AND id % 3 = 0", firstPlant, firstCanary-1); err != nil {
		return err
	}
	_, err := p.world.db.Exec(ctx, "UPDATE app.chaos SET body = 'All is well that ends well.' WHERE id BETWEEN $1 AND $2", firstPlant, firstCanary-1)
	return err
}

// publish sends a message that no source makes to the table's topic. Its client is new, since those that are there may be lost in a fault.
func (w *world) publish(ctx context.Context, payload string) error {
	client, err := w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	producer, err := client.CreateProducer(pulsar.ProducerOptions{Topic: "persistent://" + topic, DisableBatching: true, SendTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer producer.Close()
	key := base64.StdEncoding.EncodeToString([]byte(`{"id":7}`))
	_, err = producer.Send(ctx, &pulsar.ProducerMessage{Key: key, Payload: []byte(payload)})
	return err
}
