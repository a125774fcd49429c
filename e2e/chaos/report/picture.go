package report

import (
	"fmt"
	"time"
)

// The layout, in pixels.
const (
	width      = 1360.0
	leftEdge   = 78.0
	rightEdge  = width - 24
	bandsFrom  = 236.0 // the names of the faults stand above
	firstPanel = bandsFrom + 28
	gap        = 46.0 // between panels
	axisHeight = 44.0
)

const (
	ink   = "#24292f"
	faint = "#6e7781"
	grid  = "#e4e8ec"
	blue  = "#2166ac"
	azure = "#c6dbef"
	plum  = "#762a83"
	olive = "#4d6b1f"
)

// panel is one of the curves over time.
type panel struct {
	title  string
	height float64
	scale  scale
	write  func(float64) string         // of a tick
	value  func(Second) (float64, bool) // false: nothing to be drawn
	color  string
	fill   string
}

// picture draws one report.
type picture struct {
	canvas

	report *Report
	length time.Duration // that the axis covers
	floor  float64       // of the last panel
}

// Picture is the run as an SVG.
func (r *Report) Picture() string {
	p := &picture{report: r, length: max(r.Length, time.Duration(len(r.Seconds))*time.Second, time.Second)}
	panels := p.panels()
	p.floor = firstPanel
	for n, drawn := range panels {
		if n > 0 {
			p.floor += gap
		}
		p.floor += drawn.height
	}
	p.head()
	p.bands()
	top := firstPanel
	for _, drawn := range panels {
		p.draw(drawn, top)
		top += drawn.height + gap
	}
	p.clock()
	return p.svg(width, p.floor+axisHeight+10)
}

// panels scales the curves to what there is.
func (p *picture) panels() []panel {
	settled, memory := 0, int64(0)
	fastest, slowest := time.Second, time.Second
	for _, s := range p.report.Seconds {
		settled, memory = max(settled, s.Settled), max(memory, s.Resident)
		if s.Freshness > 0 {
			fastest, slowest = min(fastest, s.Freshness), max(slowest, s.Freshness)
		}
	}
	const mebibyte = 1 << 20
	return []panel{
		{
			title: "Throughput: records settled per second", height: 190, scale: linear(float64(settled)), write: number, color: blue, fill: azure,
			value: func(s Second) (float64, bool) { return float64(s.Settled), true },
		},
		{
			title: "Freshness: from commit to index, 99th percentile of each second", height: 190,
			scale: decades(max(fastest.Seconds(), 0.001), slowest.Seconds()), write: duration, color: plum,
			value: func(s Second) (float64, bool) { return s.Freshness.Seconds(), s.Freshness > 0 },
		},
		{
			title: "Memory: resident, of the larger instance, in MiB", height: 90, scale: linear(float64(memory) / mebibyte), write: number, color: olive,
			value: func(s Second) (float64, bool) { return float64(s.Resident) / mebibyte, s.Resident > 0 },
		},
	}
}

// x is where a time stands.
func (p *picture) x(at time.Duration) float64 {
	return leftEdge + (rightEdge-leftEdge)*min(1, at.Seconds()/p.length.Seconds())
}

func (p *picture) head() {
	p.text(leftEdge, 30, left, 18, fmt.Sprintf("Chaos of seed %d: %d faults in %v", p.report.Seed, len(p.report.Faults), p.report.Length), `font-weight="600"`)
	p.legend(54)
}

// draw puts a panel's frame, axis and curve below its top.
func (p *picture) draw(drawn panel, top float64) {
	bottom := top + drawn.height
	for _, tick := range drawn.scale.ticks {
		y := bottom - drawn.height*drawn.scale.place(tick)
		p.line(leftEdge, y, rightEdge, y, grid)
		p.text(leftEdge-8, y+4, right, 12, drawn.write(tick), `fill="`+faint+`"`)
	}
	p.line(leftEdge, bottom, rightEdge, bottom, faint)
	var run [][2]float64
	flush := func() {
		p.path(run, drawn.color, drawn.fill, bottom)
		if len(run) == 1 { // a line of one point would not be seen
			p.circle(run[0][0], run[0][1], 1.6, drawn.color)
		}
		run = nil
	}
	for n, s := range p.report.Seconds {
		v, ok := drawn.value(s)
		if !ok {
			flush()
			continue
		}
		run = append(run, [2]float64{p.x(time.Duration(n) * time.Second), bottom - drawn.height*drawn.scale.place(v)})
	}
	flush()
	p.rect(leftEdge, top-22, 8+6.9*float64(len(drawn.title)), 18, "#ffffff", 0.85)
	p.text(leftEdge, top-8, left, 13, drawn.title, `font-weight="600" fill="`+ink+`"`)
}

// clock is the axis of time, below all panels.
func (p *picture) clock() {
	step := interval(p.length)
	for at := time.Duration(0); at <= p.length; at += step {
		p.line(p.x(at), p.floor, p.x(at), p.floor+5, faint)
		p.text(p.x(at), p.floor+20, middle, 12, clock(at), `fill="`+faint+`"`)
	}
	p.text((leftEdge+rightEdge)/2, p.floor+40, middle, 12, "time since the start, in minutes", `fill="`+faint+`"`)
}
