package gateway

import (
	"context"

	"github.com/rowvec/rowvec/gateway/rowpath"
)

func (g *Gateway) row(ctx context.Context, table, id string, vector bool) (*Row, error) {
	if err := allowed(ctx, table); err != nil {
		return nil, err
	}
	r, err := g.config.Index.Row(ctx, table, rowpath.ID(id), vector)
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
	result, err := g.config.Index.Similar(ctx, table, rowpath.ID(id), topK)
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
	r, err := g.config.Index.Row(ctx, table, rowpath.ID(id), true)
	if err != nil {
		return nil, g.problemOf(ctx, "path", err)
	}
	return &Features{
		Entity: entity, Table: table, ID: rowpath.Of(r.ID), Model: r.Model, Dimensions: len(r.Vector), Vector: r.Vector,
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
