package report

import (
	"fmt"
	"html"
	"strings"
)

// canvas collects SVG elements. Coordinates are in pixels, from the upper left.
type canvas struct{ out strings.Builder }

func (c *canvas) add(format string, args ...any) {
	_, _ = fmt.Fprintf(&c.out, format+"\n", args...) // a strings.Builder takes everything
}

func (c *canvas) rect(x, y, width, height float64, fill string, opacity float64) {
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s" fill-opacity="%.2f"/>`, x, y, width, height, fill, opacity)
}

func (c *canvas) line(x1, y1, x2, y2 float64, stroke string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`, x1, y1, x2, y2, stroke)
}

func (c *canvas) circle(x, y, radius float64, fill string) {
	c.add(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, x, y, radius, fill)
}

// path draws a line through its points; the area below it down to floor, too, where fill says a color.
func (c *canvas) path(points [][2]float64, stroke, fill string, floor float64) {
	if len(points) == 0 {
		return
	}
	var d strings.Builder
	for n, p := range points {
		command := "L"
		if n == 0 {
			command = "M"
		}
		_, _ = fmt.Fprintf(&d, "%s%.1f %.1f", command, p[0], p[1])
	}
	if fill != "" {
		c.add(`<path d="%sL%.1f %.1fL%.1f %.1fZ" fill="%s"/>`, d.String(), points[len(points)-1][0], floor, points[0][0], floor, fill)
	}
	c.add(`<path d="%s" fill="none" stroke="%s" stroke-width="1.4" stroke-linejoin="round"/>`, d.String(), stroke)
}

// Where a text stands about its point.
const (
	left   = "start"
	middle = "middle"
	right  = "end"
)

// text writes in a size; attributes may turn it, or give it weight and another color.
func (c *canvas) text(x, y float64, anchor string, size int, text, attributes string) {
	c.add(`<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" %s>%s</text>`, x, y, anchor, size, attributes, html.EscapeString(text))
}

func (c *canvas) svg(width, height float64) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="system-ui, 'DejaVu Sans', sans-serif" fill="#24292f">
<rect width="100%%" height="100%%" fill="#ffffff"/>
%s</svg>
`, width, height, width, height, c.out.String())
}
