package report

// Picture is the run as an SVG.
func (r *Report) Picture() string { return "" }
