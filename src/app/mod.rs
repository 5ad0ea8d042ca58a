//! Wiring: configuration, telemetry, start and stop. The only room that sees every other; it decides nothing.
