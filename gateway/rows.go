package gateway

import "context"

// inPath is a row's id as paths take it. Those of two rows cannot stand in one: a browser takes a dot or two, encoded or not, for a way
// through folders. A key's own % is always encoded, so that these names are no other row's.
func inPath(id string) string {
	switch id {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return id
}

func fromPath(id string) string {
	switch id {
	case "%2E":
		return "."
	case "%2E%2E":
		return ".."
	}
	return id
}

func (g *Gateway) row(ctx context.Context, table, id string, vector bool) (*Row, error) {
	if err := allowed(ctx, table); err != nil {
		return nil, err
	}
	r, err := g.config.Index.Row(ctx, table, fromPath(id), vector)
	if err != nil {
		return nil, g.problemOf(ctx, "path", err)
	}
	row := rowOf(r)
	if vector {
		row.Model = r.Model
	}
	return row, nil
}

func (g *Gateway) similar(ctx context.Context, table, id string, topK int) (*Neighbours, error) {
	if err := allowed(ctx, table); err != nil {
		return nil, err
	}
	result, err := g.config.Index.Similar(ctx, table, fromPath(id), topK)
	if err != nil {
		return nil, g.problemOf(ctx, "path", err)
	}
	return &Neighbours{Table: table, ID: id, Partial: result.Partial, Rows: founds(result.Hits, "")}, nil
}

func (g *Gateway) features(ctx context.Context, entity, id string) (*Features, error) {
	table, err := g.entity(ctx, entity)
	if err != nil {
		return nil, err
	}
	r, err := g.config.Index.Row(ctx, table, fromPath(id), true)
	if err != nil {
		return nil, g.problemOf(ctx, "path", err)
	}
	return &Features{
		Entity: entity, Table: table, ID: inPath(r.ID), Model: r.Model, Dimensions: len(r.Vector), Vector: r.Vector,
		Metadata: r.Metadata, Version: versionOf(r.Version),
	}, nil
}

func (g *Gateway) similarEntities(ctx context.Context, entity, id string, topK int) (*Neighbours, error) {
	table, err := g.entity(ctx, entity)
	if err != nil {
		return nil, err
	}
	return g.similar(ctx, table, id, topK)
}
