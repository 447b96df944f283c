import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A WebSocket connection of whichever library. What comes is kept until it is asked for, in its order. */
abstract class Line implements AutoCloseable {
    /** How long anything may take. */
    private static final int PATIENCE_S = 20;

    /** Texts, and what ended the connection behind them. */
    private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();

    abstract void send(String text);

    @Override
    public abstract void close();

    final void hear(String text) {
        heard.add(text);
    }

    final void end(String why) {
        heard.add(new IOException(why));
    }

    /** The next text; throws what ended the connection once all texts before that were taken. */
    final String next() throws IOException, InterruptedException {
        Object next = heard.poll(PATIENCE_S, TimeUnit.SECONDS);
        if (next instanceof String text) return text;
        if (next instanceof IOException ended) throw ended;
        throw new IllegalStateException("nothing came for " + PATIENCE_S + " s");
    }
}
