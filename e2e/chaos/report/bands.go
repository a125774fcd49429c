package report

import "slices"

const (
	minBand     = 2.0  // pixels: a fault that is over at once is seen, too
	nameSpacing = 13.5 // pixels between two names
	namesBelow  = bandsFrom - 22
)

// components are the parts that fail, in the order of the legend, and the colors of their faults.
func components() (names []string, colors map[string]string) {
	names = []string{"postgres", "source", "pulsar", "function", "instance", "endpoint", "chroma"}
	palette := []string{"#1b7837", "#80a33c", "#b2182b", "#d6604d", "#e08214", "#4393c3", "#8073ac"}
	colors = map[string]string{}
	for n, name := range names {
		colors[name] = palette[n]
	}
	return names, colors
}

// bands mark the faults over all panels: dark while the fault lasts, light until the recovery; and name them.
func (p *picture) bands() {
	_, colors := components()
	for _, f := range p.report.Faults {
		color := paint(colors, f.Component)
		from, healed, recovered := p.x(f.At), p.x(f.At+f.Held), p.x(f.At+f.Held+f.Recovery)
		held := max(minBand, healed-from)
		p.rect(from, bandsFrom, held, p.floor-bandsFrom, color, 0.42)
		p.rect(from+held, bandsFrom, max(0, recovered-from-held), p.floor-bandsFrom, color, 0.15)
	}
	for n, x := range p.nameplaces() {
		f := p.report.Faults[n]
		color := paint(colors, f.Component)
		p.line(p.x(f.At), bandsFrom, x, namesBelow, color)
		p.add(`<g transform="translate(%.1f %.1f) rotate(-52)">`, x+3, namesBelow-3)
		p.text(0, 0, left, 12, f.Name, "")
		p.add(`</g>`)
	}
}

func paint(colors map[string]string, component string) string {
	if color, ok := colors[component]; ok {
		return color
	}
	return faint
}

// nameplaces keeps the names apart: each stands at its fault, or where there is room after the one before it. Where the last would stand outside, all of them
// move to the left as far as they must.
func (p *picture) nameplaces() []float64 {
	places := make([]float64, 0, len(p.report.Faults))
	next := leftEdge
	for _, f := range p.report.Faults {
		x := max(p.x(f.At), next)
		places = append(places, x)
		next = x + nameSpacing
	}
	limit := rightEdge - 110 // the slanted name goes on to the right
	for n := range slices.Backward(places) {
		places[n] = min(places[n], limit)
		limit = places[n] - nameSpacing
	}
	return places
}

// legend tells the colors.
func (p *picture) legend(y float64) {
	names, colors := components()
	x := leftEdge
	for _, name := range names {
		p.rect(x, y-10, 12, 12, colors[name], 0.6)
		p.text(x+17, y, left, 12, name, "")
		x += 34 + 7*float64(len(name))
	}
	x += 20
	p.rect(x, y-10, 22, 12, faint, 0.42)
	p.text(x+27, y, left, 12, "fault", "")
	x += 74
	p.rect(x, y-10, 22, 12, faint, 0.15)
	p.text(x+27, y, left, 12, "until fresh rows were in the index again", "")
}
