// Fields of days and of times of day: the day's number, year, month, week, hour, whether a month begins.
//
// Days become years, months and days of the month by Neri and Schneider, "Euclidean affine functions and their application
// to calendar algorithms" (2022): multiplications in place of divisions and tables. The calendar is the proleptic Gregorian one, years
// -32767 to 32767 as in pyarrow; a slice with other days fails, also where they lie under nulls.
#pragma once
#include "kernel.hpp"

namespace ff {

constexpr int64_t FIRST_DAY = -12687428, LAST_DAY = 11248737;   // -32767-01-01 and 32767-12-31, in days since 1970-01-01

struct CalendarContext {
    View values;      // in: counts of units since 1970-01-01, or since midnight
    uint8_t* out;     // out: int32, or bits, 0 where the value is null
};

enum Field : int {
    DAY_NUMBER, YEAR, MONTH, DAY, QUARTER, DAY_OF_WEEK, DAY_OF_YEAR, DAYS_IN_MONTH, WEEK, ISO_YEAR, HOUR, MINUTE, SECOND,
    MICROSECOND, NANOSECOND, INT_FIELDS,
    LEAP_YEAR = INT_FIELDS, MONTH_START, MONTH_END, QUARTER_START, QUARTER_END, YEAR_START, YEAR_END, FIELDS
};
// Units of a day's parts; DAYS: values are days.
enum Unit : int { DAYS, SECONDS, MILLISECONDS, MICROSECONDS, NANOSECONDS };

constexpr int64_t per_second(Unit unit) {
    return unit == SECONDS ? 1 : unit == MILLISECONDS ? 1000 : unit == MICROSECONDS ? 1000000 : 1000000000;
}

struct Date {
    int32_t year;
    uint32_t month, day;   // from 1 on
};

inline Date date_of(int32_t days) {
    constexpr uint32_t ERAS = 3670, DAYS_OF_ERA = 146097;   // so many times 400 years before the first of March of year 0
    const uint32_t shifted = 4 * ((uint32_t)days + 719468u + ERAS * DAYS_OF_ERA) + 3;
    const uint32_t century = shifted / DAYS_OF_ERA, of_century = shifted % DAYS_OF_ERA / 4;
    const uint64_t years = (uint64_t)2939745 * (4 * of_century + 3);
    const uint32_t year = (uint32_t)(years >> 32), of_year = (uint32_t)years / 2939745 / 4;   // years begin in March
    const uint32_t months = 2141 * of_year + 197913;
    const uint32_t next = of_year >= 306;   // January and February are the next year's
    return {(int32_t)(100 * century + year + next) - 400 * (int32_t)ERAS, (months >> 16) - 12 * next, (months & 0xFFFF) / 2141 + 1};
}

inline bool is_leap(int32_t year) { return (year & 3) == 0 && (year % 100 != 0 || (year & 15) == 0); }

inline uint32_t month_days(const Date& date) {
    return date.month == 2 ? 28 + is_leap(date.year) : 30 | (date.month ^ (date.month >> 3));
}

inline int32_t weekday(int32_t days) { return (int32_t)(((int64_t)days + 3 + 7 * (int64_t)2000000) % 7); }   // 1970-01-01 was a Thursday

inline int32_t day_of_year(const Date& date) {
    const uint32_t leap = is_leap(date.year) && date.month > 2;
    return (int32_t)((367 * date.month - 362) / 12 - (date.month > 2 ? 2 : 0) + leap + date.day);
}

template <int FIELD>
inline int32_t day_field(int32_t days) {
    if constexpr (FIELD == DAY_NUMBER) return days;
    if constexpr (FIELD == DAY_OF_WEEK) return weekday(days);
    if constexpr (FIELD == WEEK || FIELD == ISO_YEAR) {   // a week is of the year that its Thursday is in
        const Date thursday = date_of(days - weekday(days) + 3);
        return FIELD == ISO_YEAR ? thursday.year : (day_of_year(thursday) - 1) / 7 + 1;
    }
    const Date date = date_of(days);
    const bool first = date.day == 1, last = date.day == month_days(date);
    switch (FIELD) {
        case YEAR: return date.year;
        case MONTH: return (int32_t)date.month;
        case DAY: return (int32_t)date.day;
        case QUARTER: return (int32_t)(date.month + 2) / 3;
        case DAY_OF_YEAR: return day_of_year(date);
        case DAYS_IN_MONTH: return (int32_t)month_days(date);
        case LEAP_YEAR: return is_leap(date.year);
        case MONTH_START: return first;
        case MONTH_END: return last;
        case QUARTER_START: return first && date.month % 3 == 1;
        case QUARTER_END: return last && date.month % 3 == 0;
        case YEAR_START: return first && date.month == 1;
        default: return last && date.month == 12;
    }
}

// The field of one value; `fits` becomes false where there is no such day.
template <typename T, int UNIT, int FIELD>
inline int32_t field_of(T value, bool& fits) {
    constexpr bool of_clock = FIELD >= HOUR && FIELD <= NANOSECOND;
    if constexpr (UNIT == DAYS) {
        fits &= value >= FIRST_DAY && value <= LAST_DAY;
        return of_clock ? 0 : day_field<FIELD>((int32_t)value);
    } else {
        constexpr int64_t second = per_second((Unit)UNIT), day = 86400 * second;
        const int64_t count = (int64_t)value;
        const int64_t days = count / day - (count % day < 0);
        if constexpr (FIELD == MICROSECOND || FIELD == NANOSECOND) {
            const int64_t nanoseconds = (count - days * day) % second * (1000000000 / second);
            return (int32_t)(FIELD == MICROSECOND ? nanoseconds / 1000 : nanoseconds % 1000);
        } else if constexpr (of_clock) {
            const int32_t seconds = (int32_t)((count - days * day) / second);
            return FIELD == HOUR ? seconds / 3600 : FIELD == MINUTE ? seconds / 60 % 60 : seconds % 60;
        } else {
            fits &= days >= FIRST_DAY && days <= LAST_DAY;
            return day_field<FIELD>((int32_t)days);
        }
    }
}

// Statuses: OVERFLOW_ where a day is out of the calendar.
template <typename T, int UNIT, int FIELD>
int calendar(void* raw, int64_t start, int64_t stop, int64_t) {
    const CalendarContext ctx = *(const CalendarContext*)raw;
    bool fits = true;
    if constexpr (FIELD < INT_FIELDS) {
        for (int64_t row = start; row < stop; ++row) store<int32_t>(ctx.out, row, field_of<T, UNIT, FIELD>(load<T>(ctx.values.values, row), fits));
    } else {
        for (int64_t first = start; first < stop; first += 64) {
            const int count = (int)(stop - first < 64 ? stop - first : 64);
            uint64_t word = 0;
            for (int row = 0; row < count; ++row) {
                word |= (uint64_t)field_of<T, UNIT, FIELD>(load<T>(ctx.values.values, first + row), fits) << row;
            }
            if (ctx.values.validity != nullptr) word &= bits_at(ctx.values.validity, ctx.values.bit_offset + first, count);
            store_bits(ctx.out, first, word, count);
        }
    }
    return fits ? OK : OVERFLOW_;
}

template <typename T, int UNIT, int FIELD = 0>
inline kernel_t calendar_of_field(int field) {
    if constexpr (FIELD == FIELDS) return nullptr;
    else return field == FIELD ? &calendar<T, UNIT, FIELD> : calendar_of_field<T, UNIT, FIELD + 1>(field);
}

// Days lie in 32 bits, times in 64, but for seconds and milliseconds of the day, which lie in 32.
inline kernel_t calendar_kernel(int unit, bool narrow, int field) {
    switch (unit) {
        case DAYS: return calendar_of_field<int32_t, DAYS>(field);
        case SECONDS: return narrow ? calendar_of_field<int32_t, SECONDS>(field) : calendar_of_field<int64_t, SECONDS>(field);
        case MILLISECONDS: return narrow ? calendar_of_field<int32_t, MILLISECONDS>(field) : calendar_of_field<int64_t, MILLISECONDS>(field);
        case MICROSECONDS: return calendar_of_field<int64_t, MICROSECONDS>(field);
        default: return calendar_of_field<int64_t, NANOSECONDS>(field);
    }
}

}  // namespace ff
