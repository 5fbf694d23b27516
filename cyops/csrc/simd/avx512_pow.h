/* The loop of float's pow for AVX-512: a template, included by elementwise/loops.h.
 *
 * |x|^y = 2^(y log2|x|) in double, as in math/pow.h; but two registers hold a table of 16 numbers, from which one
 * instruction picks eight, so that the polynomials are of degree 5 and 4 instead of 13 and 7. Sixteen elements at a
 * time; those that hold none of C's special cases skip their treatment: docs/kernels.md, Vectors.
 */
#define FMA_8 _mm512_fmadd_pd
#define SET_8 _mm512_set1_pd

/* |x| = 2^k z with z from 0.7 on, below 1.4, in sixteen pieces. Of each piece a number near 1 / z and minus its log2; 1
 * and 0 where z may be 1, so that the logarithm is relatively accurate there too. */
#define LOG2_OFFSET 0x3fe6600000000000
static const double ISA_NAME(log2_inverses)[16] = {
    0x1.661ec6p+0, 0x1.571ed4p+0, 0x1.49539ep+0, 0x1.3c995ap+0, 0x1.30d19p+0,  0x1.25e228p+0,
    0x1.1bb4a4p+0, 0x1.12358ep+0, 0x1.0953f4p+0, 0x1p+0,        0x1.e573acp-1, 0x1.ca4b3p-1,
    0x1.b20364p-1, 0x1.9c2d14p-1, 0x1.886e6p-1,  0x1.767dcep-1,
};
static const double ISA_NAME(log2_starts)[16] = {
    -0.48430012207933043, -0.4225711867440103, -0.3633753640047848,  -0.30651302301826494, -0.25180714503608187,
    -0.19910017263487428, -0.148250957240328,  -0.09913315506985332, -0.05163280469291231, 0,
    0.07681562257950586,  0.15987135290176302, 0.23840474066869335,  0.31288300499809124,  0.38370423872947484,
    0.4512111272838952,
};
/* The bits of 2^(i / 16) less i << 48, to which n << 48 is added for 2^(n / 16). */
static const uint64_t ISA_NAME(exp2_bits)[16] = {
    0x3ff0000000000000, 0x3fefb5586cf9890f, 0x3fef72b83c7d517b, 0x3fef387a6e756238,
    0x3fef06fe0a31b715, 0x3feedea64c123422, 0x3feebfdad5362a27, 0x3feeab07dd485429,
    0x3feea09e667f3bcd, 0x3feea11473eb0187, 0x3feeace5422aa0db, 0x3feec49182a3f090,
    0x3feee89f995ad3ad, 0x3fef199bdd85529c, 0x3fef5818dcfba487, 0x3fefa4afa2a490da,
};

CYOPS_INLINE __m512d ISA_NAME(pick)(const void *table, __m512i index) {
    return _mm512_permutex2var_pd(_mm512_loadu_pd(table), index, _mm512_loadu_pd((const double *)table + 8));
}

/* log2(z) = start + log2(1 + r) with r = z inverse - 1, |r| < 0.0297; the polynomial is off by 3.1e-12, relatively. */
CYOPS_INLINE __m512d ISA_NAME(log2_of_eight)(__m512d size) {
    const __m512i bits = _mm512_castpd_si512(size);
    const __m512i from_offset = _mm512_sub_epi64(bits, _mm512_set1_epi64(LOG2_OFFSET));
    const __m512i piece = _mm512_srli_epi64(from_offset, 48), exponent = _mm512_srai_epi64(from_offset, 52);
    const __m512d z = _mm512_castsi512_pd(_mm512_sub_epi64(bits, _mm512_slli_epi64(exponent, 52)));
    const __m512d start = _mm512_add_pd(_mm512_cvtepi64_pd(exponent), ISA_NAME(pick)(ISA_NAME(log2_starts), piece));
    const __m512d r = _mm512_fmsub_pd(z, ISA_NAME(pick)(ISA_NAME(log2_inverses), piece), SET_8(1));
    const __m512d r2 = _mm512_mul_pd(r, r);
    const __m512d first = FMA_8(r, SET_8(-0.7213475204483021), SET_8(1.442695040893326));
    const __m512d second = FMA_8(r, SET_8(-0.360673681940697), SET_8(0.48089825752286475));
    const __m512d third = FMA_8(r, SET_8(-0.2406868638288431), SET_8(0.2888106232915322));
    return FMA_8(r, FMA_8(r2, FMA_8(r2, third, second), first), start);
}

/* 2^x = 2^(n / 16) 2^r with |r| <= 1 / 32; the polynomial is off by 2.6e-12. NaN of NaN. */
CYOPS_INLINE __m512d ISA_NAME(exp2_of_eight)(__m512d x) {
    const __m512d rounder = SET_8(0x1.8p48);
    const __m512d bounded = _mm512_max_pd(SET_8(cyops_bounds_f64.float_pow_lowest),
                                          _mm512_min_pd(SET_8(cyops_bounds_f64.float_pow_highest), x));
    const __m512d shifted = _mm512_add_pd(bounded, rounder);
    const __m512d r = _mm512_sub_pd(bounded, _mm512_sub_pd(shifted, rounder));
    const __m512i n = _mm512_castpd_si512(shifted);
    const __m512i power = _mm512_add_epi64(_mm512_castpd_si512(ISA_NAME(pick)(ISA_NAME(exp2_bits), n)),
                                           _mm512_slli_epi64(n, 48));
    const __m512d r2 = _mm512_mul_pd(r, r), first = FMA_8(r, SET_8(0.6931471801625687), SET_8(1));
    const __m512d second = FMA_8(r, SET_8(0.055505736314614036), SET_8(0.24022650691319414));
    return _mm512_mul_pd(_mm512_castsi512_pd(power), FMA_8(r2, FMA_8(r2, SET_8(0.009618317140580765), second), first));
}

CYOPS_INLINE __m256 ISA_NAME(pow_of_eight)(__m256 x, __m256 y, int is_special) {
    const __m512d infinity = SET_8(INFINITY), size = _mm512_abs_pd(_mm512_cvtps_pd(x));
    __m512d log2 = ISA_NAME(log2_of_eight)(size);
    if (is_special) {
        log2 = _mm512_mask_mov_pd(log2, _mm512_cmp_pd_mask(size, infinity, _CMP_NLT_UQ), size);
        log2 = _mm512_mask_mov_pd(log2, _mm512_cmp_pd_mask(size, _mm512_setzero_pd(), _CMP_EQ_OQ), SET_8(-INFINITY));
    }
    return _mm512_cvtpd_ps(ISA_NAME(exp2_of_eight)(_mm512_mul_pd(log2, _mm512_cvtps_pd(y))));
}

CYOPS_INLINE __m512 ISA_NAME(pow_of_sixteen)(__m512 x, __m512 y, int is_special) {
    const __m256 low = ISA_NAME(pow_of_eight)(_mm512_castps512_ps256(x), _mm512_castps512_ps256(y), is_special);
    const __m256 high = ISA_NAME(pow_of_eight)(_mm512_extractf32x8_ps(x, 1), _mm512_extractf32x8_ps(y, 1), is_special);
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

static __attribute__((noinline)) __m512 ISA_NAME(special_pow)(__m512 x, __m512 y) {
    _Alignas(64) float powers[16], bases[16], exponents[16];
    _mm512_store_ps(powers, ISA_NAME(pow_of_sixteen)(x, y, 1));
    _mm512_store_ps(bases, x);
    _mm512_store_ps(exponents, y);
    for (int i = 0; i < 16; i++) powers[i] = ISA_NAME(finish_pow_f32)(powers[i], bases[i], exponents[i]);
    return _mm512_load_ps(powers);
}

/* Up to sixteen elements, those that the mask names; of operands whose step is 0 the one that they point at. */
CYOPS_INLINE void ISA_NAME(pow_of_block)(float *out, const float *a, const float *b, const ptrdiff_t *inner,
                                         __mmask16 mask) {
    enum { ZERO_NAN_INFINITY = 0x9f, NEGATIVE = 0x40, ZERO = 0x06 }; /* the classes of vfpclassps */
    const __m512 one = _mm512_set1_ps(1);
    const __m512 x = inner[1] ? _mm512_mask_loadu_ps(one, mask, a) : _mm512_set1_ps(*a);
    const __m512 y = inner[2] ? _mm512_mask_loadu_ps(one, mask, b) : _mm512_set1_ps(*b);
    const int special = _mm512_fpclass_ps_mask(x, ZERO_NAN_INFINITY | NEGATIVE) |
                        _mm512_fpclass_ps_mask(y, ZERO_NAN_INFINITY & ~ZERO);
    const __m512 power = special ? ISA_NAME(special_pow)(x, y) : ISA_NAME(pow_of_sixteen)(x, y, 0);
    _mm512_mask_storeu_ps(out, mask, power);
}

LOOP_HEAD(ISA_NAME(pow_by_tables_float32)) {
    EACH_ROW {
        const float *a = ROW(const float, 1), *b = ROW(const float, 2);
        float *out = ROW(float, 0);
        ptrdiff_t i = 0;
        for (; n_inner - i >= 16; i += 16)
            ISA_NAME(pow_of_block)(out + i, a + i * inner[1], b + i * inner[2], inner, 0xffff);
        const __mmask16 tail = (__mmask16)((1u << (n_inner - i)) - 1);
        if (tail) ISA_NAME(pow_of_block)(out + i, a + i * inner[1], b + i * inner[2], inner, tail);
    }
}
