// Times as text by a format whose texts all have one length: a template with the format's own characters, and pieces that
// are written over it.
//
// Two passes, as in text.hpp: bytes per slice, then offsets and bytes. Years are those of four digits; that values lie in
// them is the caller's to know (what lies under nulls is not looked at).
#pragma once
#include "calendar.hpp"
#include "digits.hpp"

namespace ff {

enum TimeField : int32_t {
    OF_YEAR, OF_CENTURY_YEAR, OF_MONTH, OF_DAY, OF_PADDED_DAY, OF_YEAR_DAY, OF_MONTH_NAME, OF_DAY_NAME, OF_ISO_WEEKDAY, OF_WEEKDAY,
    DATE_FIELDS, OF_HOUR = DATE_FIELDS, OF_HALF_DAY_HOUR, OF_HALF_DAY, OF_MINUTE, OF_SECOND, OF_MICROSECOND
};

struct TimePiece {
    int32_t field, place;   // of TimeField; in the template
};

struct TimeTextContext {
    View values;               // in: counts of units since 1970-01-01, or since midnight
    const TimePiece* pieces;   // in
    int64_t n_pieces;
    const uint8_t* form;       // in: the template
    int64_t n_form;
    int64_t* sizes;            // out (sizes): bytes per slice
    const int64_t* starts;     // in (copy): bytes before each slice, and in all
    uint8_t* out_offsets;      // out (copy): entry row + 1
    uint8_t* out_data;         // out (copy)
};

inline int time_text_sizes(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const TimeTextContext ctx = *(const TimeTextContext*)raw;
    int64_t n_here = 0;
    for_bits(validity_of(ctx.values), start, stop, [&](int64_t, bool is_here) { n_here += is_here; });
    ctx.sizes[slice] = n_here * ctx.n_form;
    return OK;
}

inline void write_pair(uint32_t number, uint8_t* out) { memcpy(out, DIGIT_PAIRS.text + 2 * number, 2); }

constexpr char MONTH_NAMES[] = "JanFebMarAprMayJunJulAugSepOctNovDec", DAY_NAMES[] = "MonTueWedThuFriSatSun";

inline void write_date_piece(int32_t field, int32_t days, const Date& date, uint8_t* out) {
    const uint32_t year = (uint32_t)date.year;
    switch (field) {
        case OF_YEAR:
            write_pair(year / 100, out);
            return write_pair(year % 100, out + 2);
        case OF_CENTURY_YEAR: return write_pair(year % 100, out);
        case OF_MONTH: return write_pair(date.month, out);
        case OF_DAY: return write_pair(date.day, out);
        case OF_PADDED_DAY:
            write_pair(date.day, out);
            if (date.day < 10) out[0] = ' ';
            return;
        case OF_YEAR_DAY: {
            const uint32_t day = (uint32_t)day_field<DAY_OF_YEAR>(days);
            out[0] = (uint8_t)('0' + day / 100);
            return write_pair(day % 100, out + 1);
        }
        case OF_MONTH_NAME: memcpy(out, MONTH_NAMES + 3 * (date.month - 1), 3); return;
        case OF_DAY_NAME: memcpy(out, DAY_NAMES + 3 * day_field<DAY_OF_WEEK>(days), 3); return;
        case OF_ISO_WEEKDAY: out[0] = (uint8_t)('1' + day_field<DAY_OF_WEEK>(days)); return;
        default: out[0] = (uint8_t)('0' + (day_field<DAY_OF_WEEK>(days) + 1) % 7); return;
    }
}

inline void write_clock_piece(int32_t field, uint32_t seconds, uint32_t microseconds, uint8_t* out) {
    const uint32_t hour = seconds / 3600;
    switch (field) {
        case OF_HOUR: return write_pair(hour, out);
        case OF_HALF_DAY_HOUR: return write_pair((hour + 11) % 12 + 1, out);
        case OF_HALF_DAY: memcpy(out, hour < 12 ? "AM" : "PM", 2); return;
        case OF_MINUTE: return write_pair(seconds / 60 % 60, out);
        case OF_SECOND: return write_pair(seconds % 60, out);
        default:
            write_pair(microseconds / 10000, out);
            write_pair(microseconds / 100 % 100, out + 2);
            return write_pair(microseconds % 100, out + 4);
    }
}

template <int UNIT>
inline void write_time(const TimeTextContext& ctx, int64_t count, bool has_date, uint8_t* out) {
    memcpy(out, ctx.form, (size_t)ctx.n_form);
    int64_t days = count;
    uint32_t seconds = 0, microseconds = 0;
    if constexpr (UNIT != DAYS) {
        constexpr int64_t second = per_second((Unit)UNIT), day = 86400 * second;
        days = count / day - (count % day < 0);
        const int64_t of_day = count - days * day;
        seconds = (uint32_t)(of_day / second);
        microseconds = (uint32_t)(UNIT == NANOSECONDS ? of_day % second / 1000 : of_day % second * (1000000 / second));
    }
    const Date date = has_date ? date_of((int32_t)days) : Date{0, 1, 1};
    for (const TimePiece* piece = ctx.pieces; piece != ctx.pieces + ctx.n_pieces; ++piece) {
        if (piece->field < DATE_FIELDS) write_date_piece(piece->field, (int32_t)days, date, out + piece->place);
        else write_clock_piece(piece->field, seconds, microseconds, out + piece->place);
    }
}

template <typename T, int UNIT, typename Out>
int time_text_copy(void* raw, int64_t start, int64_t stop, int64_t slice) {
    const TimeTextContext ctx = *(const TimeTextContext*)raw;
    bool has_date = false;
    for (int64_t at = 0; at < ctx.n_pieces; ++at) has_date |= ctx.pieces[at].field < DATE_FIELDS;
    int64_t end = ctx.starts[slice];
    for_bits(validity_of(ctx.values), start, stop, [&](int64_t row, bool is_here) {
        if (is_here) {
            write_time<UNIT>(ctx, (int64_t)load<T>(ctx.values.values, row), has_date, ctx.out_data + end);
            end += ctx.n_form;
        }
        store<Out>(ctx.out_offsets, row + 1, (Out)end);
    });
    return OK;
}

template <typename T, int UNIT>
inline kernel_t time_text_copy_of(bool large) { return large ? time_text_copy<T, UNIT, int64_t> : time_text_copy<T, UNIT, int32_t>; }

// Of the types that `calendar_kernel` takes.
inline kernel_t time_text_kernel(int unit, bool narrow, bool large) {
    switch (unit) {
        case DAYS: return time_text_copy_of<int32_t, DAYS>(large);
        case SECONDS: return narrow ? time_text_copy_of<int32_t, SECONDS>(large) : time_text_copy_of<int64_t, SECONDS>(large);
        case MILLISECONDS: return narrow ? time_text_copy_of<int32_t, MILLISECONDS>(large) : time_text_copy_of<int64_t, MILLISECONDS>(large);
        case MICROSECONDS: return time_text_copy_of<int64_t, MICROSECONDS>(large);
        default: return time_text_copy_of<int64_t, NANOSECONDS>(large);
    }
}

}  // namespace ff
