//! `/webrtc-direct`: from a browser to a server that needs no name and no certificate authority.
