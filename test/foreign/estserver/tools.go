//go:build tools

// Package estserver names the EST server of GlobalSign, so that its version and its hashes are fixed here.
package estserver

import _ "github.com/globalsign/est/cmd/estserver"
