import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A book by the procedure of Binance's guide, and trades and tops beside it. */
final class BinanceBook implements Books.Book {
    private static final String STREAMS = "btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker";

    private final String host;
    private final Map<String, Map<String, String>> sides = Map.of("b", new TreeMap<>(), "a", new TreeMap<>());
    private long last;
    private boolean begun;
    private int taken;

    BinanceBook(String host) {
        this.host = host;
    }

    @Override
    public void follow(Library library, int events) throws IOException, InterruptedException {
        try (Line line = library.open("ws://" + host + "/stream?streams=" + STREAMS)) {
            // What comes meanwhile waits; a book older than the first event could not go on.
            String first = line.next();
            do {
                fetch(library.get("http://" + host + "/api/v3/depth?symbol=BTCUSDT&limit=5000"));
            } while (!take(first));
            while (taken < events) Books.check(take(line.next()), "it begins behind the book");
        }
    }

    private void fetch(String text) {
        JsonObject book = JsonParser.parseString(text).getAsJsonObject();
        last = book.get("lastUpdateId").getAsLong();
        begun = false;
        sides.values().forEach(Map::clear);
        set("b", book.getAsJsonArray("bids"));
        set("a", book.getAsJsonArray("asks"));
        tell();
    }

    /** Takes an event; whether the book did not have to be newer for it. */
    private boolean take(String text) {
        JsonObject message = JsonParser.parseString(text).getAsJsonObject();
        JsonObject event = message.getAsJsonObject("data");
        switch (message.get("stream").getAsString().replaceFirst(".*?@", "")) {
            case "trade" -> Books.tell(trade(event));
            case "bookTicker" -> Books.tell(top(event));
            default -> {
                return depth(event);
            }
        }
        return true;
    }

    private boolean depth(JsonObject event) {
        long begins = event.get("U").getAsLong(), ends = event.get("u").getAsLong();
        if (ends <= last) {
            Books.check(!begun, "an old event after a new one: " + event);
            return true;
        }
        if (begins > last + 1) {
            Books.check(!begun, "a gap: " + last + " before " + event);
            return false;
        }
        Books.check(!begun || begins == last + 1, "an overlap: " + last + " before " + event);
        begun = true;
        last = ends;
        set("b", event.getAsJsonArray("b"));
        set("a", event.getAsJsonArray("a"));
        taken++;
        tell();
        return true;
    }

    private void set(String side, JsonArray levels) {
        for (JsonElement level : levels) {
            String price = level.getAsJsonArray().get(0).getAsString(), qty = level.getAsJsonArray().get(1).getAsString();
            if (qty.equals("0.00000000")) sides.get(side).remove(price);
            else sides.get(side).put(price, qty);
        }
    }

    private void tell() {
        Books.tell(Map.of("id", last, "bids", levels("b"), "asks", levels("a")));
    }

    private List<List<String>> levels(String side) {
        return sides.get(side).entrySet().stream().map(level -> List.of(level.getKey(), level.getValue())).toList();
    }

    private static Map<String, ?> trade(JsonObject event) {
        String side = event.get("m").getAsBoolean() ? "sell" : "buy";
        return Map.of("trade", event.get("t"), "price", event.get("p"), "qty", event.get("q"), "side", side);
    }

    private static Map<String, ?> top(JsonObject event) {
        List<?> bid = List.of(event.get("b"), event.get("B")), ask = List.of(event.get("a"), event.get("A"));
        return Map.of("id", event.get("u"), "bids", List.of(bid), "asks", List.of(ask), "depth", 1);
    }
}
