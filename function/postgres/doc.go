// Package postgres reads, by primary key, the columns that a change left out because its update did not touch them. It only reads.
package postgres
