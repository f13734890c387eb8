package glance

import "context"

func air(context.Context, *World) (*Tile, error) { return nil, nil }
