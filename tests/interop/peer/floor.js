// What the browser needs for a connection and a transfer by itself, without libp2p and without us: what no peer can be faster than.

const PIECE = 16 * 1024;
const HIGH = 1024 * 1024;

const once = (target, event) => new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

let certificate;
let connection;
let channel;

async function fresh() {
    certificate ??= await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
    return new RTCPeerConnection({ certificates: [certificate] });
}

/** The local description with all candidates in it. */
async function gathered(of) {
    while (of.iceGatheringState !== "complete") await once(of, "icegatheringstatechange");
    return of.localDescription.sdp;
}

/** Counts what arrives, and tells the sender once all that he announced is there. */
function sink(on) {
    on.binaryType = "arraybuffer";
    let left = 0;
    on.addEventListener("message", ({ data }) => {
        if (typeof data === "string") left = Number(data);
        else if ((left -= data.byteLength) === 0) on.send("all");
    });
}

window.floor = {
    async offer() {
        connection = await fresh();
        channel = connection.createDataChannel("");
        channel.binaryType = "arraybuffer";
        await connection.setLocalDescription();
        return gathered(connection);
    },

    async answer(sdp) {
        connection = await fresh();
        connection.addEventListener("datachannel", (event) => sink((channel = event.channel)));
        await connection.setRemoteDescription({ type: "offer", sdp });
        await connection.setLocalDescription();
        return gathered(connection);
    },

    async accept(sdp) {
        const opened = once(channel, "open");
        await connection.setRemoteDescription({ type: "answer", sdp });
        await opened;
    },

    /** Milliseconds until the other side has all of so many bytes. */
    async send(size) {
        const piece = crypto.getRandomValues(new Uint8Array(PIECE));
        channel.bufferedAmountLowThreshold = HIGH / 2;
        const began = performance.now();
        channel.send(String(size));
        for (let left = size; left > 0; left -= PIECE) {
            if (channel.bufferedAmount >= HIGH) await once(channel, "bufferedamountlow");
            channel.send(left < PIECE ? piece.subarray(0, left) : piece);
        }
        await once(channel, "message");
        return performance.now() - began;
    },

    /** Milliseconds from nothing to an open channel between two connections of this page, with candidates passed on as they come. */
    async dial() {
        certificate ??= await RTCPeerConnection.generateCertificate({ name: "ECDSA", namedCurve: "P-256" });
        const began = performance.now();
        const [a, b] = await Promise.all([fresh(), fresh()]);
        a.addEventListener("icecandidate", ({ candidate }) => candidate && b.addIceCandidate(candidate));
        b.addEventListener("icecandidate", ({ candidate }) => candidate && a.addIceCandidate(candidate));
        const opened = once(a.createDataChannel(""), "open");
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        await opened;
        const took = performance.now() - began;
        a.close();
        b.close();
        return took;
    },
};
