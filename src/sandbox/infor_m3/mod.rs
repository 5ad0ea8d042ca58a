//! A simulated Infor gateway with an M3 behind it.
